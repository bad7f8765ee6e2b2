"""Two snapshots side by side, from their profiles alone."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from scipy.stats import ks_2samp

from registry.tabular.columns import Treatment
from registry.tabular.difference import difference
from registry.tabular.scan import describe


def snapshot(rows: int = 800, *, shift: float = 0.0, wards: str = "aabbc", gaps: float = 0.0) -> pd.DataFrame:
    draw = np.random.default_rng(5)
    dose = draw.normal(10, 2, rows)
    return pd.DataFrame(
        {
            "dose": np.where(draw.random(rows) < gaps, np.nan, dose + shift),
            "ward": draw.choice(list(wards), rows),
            "seen": pd.date_range("2024-01-01", periods=rows),
        }
    )


def compared(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, Any]:
    found = difference(describe(before), describe(after))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    return found


def of(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in found["columns"] if one["column"] == name)


def test_the_same_rows_differ_in_nothing() -> None:
    found = compared(snapshot(), snapshot())
    assert [one["distance"] for one in found["columns"]] == [0.0, 0.0, None]
    assert found["words"] == ["The same number of rows.", "No column differs noticeably."]


@pytest.mark.parametrize("shift", [0.5, 2.0, 20.0])
def test_the_distance_of_numbers_is_kolmogorov_and_smirnovs(shift: float) -> None:
    before, after = snapshot(), snapshot(shift=shift)
    found = of(compared(before, after), "dose")
    exact = ks_2samp(before["dose"], after["dose"]).statistic
    assert found["distance"] == pytest.approx(exact, abs=0.06)  # the bins are deciles
    assert sum(found["bins"]["after"]) == pytest.approx(1.0, abs=1e-4)
    assert found["quantiles"]["after"]["0.5"] == pytest.approx(found["quantiles"]["before"]["0.5"] + shift)


def test_steps_of_few_values_are_exact() -> None:
    before = pd.DataFrame({"n": [0] * 60 + [1] * 40, "x": ["a"] * 100})
    after = pd.DataFrame({"n": [0] * 10 + [1] * 90, "x": ["a"] * 100})
    assert of(compared(before, after), "n")["distance"] == pytest.approx(0.5, abs=0.001)


def test_categories_that_come_and_go_are_named() -> None:
    found = of(compared(snapshot(wards="aabbc"), snapshot(wards="aabbd")), "ward")
    assert (found["new"], found["vanished"]) == (["d"], ["c"])
    assert found["distance"] == pytest.approx(0.2, abs=0.05)


def test_it_is_told_in_words_the_most_changed_first() -> None:
    after = snapshot(400, shift=3, gaps=0.3).rename(columns={"seen": "visited"}).assign(extra=1)
    found = compared(snapshot(), after)
    assert found["rows"] == {"before": 800, "after": 400}
    assert found["schema"] == {"added": ["visited", "extra"], "removed": ["seen"], "retyped": []}
    assert found["columns"][0]["column"] == "dose"
    words = " ".join(found["words"])
    assert "400 rows fewer." in words
    assert "New columns: visited, extra." in words
    assert "dose has strongly changed" in words
    assert "dose is missing in 3" in words


def test_another_type_is_told() -> None:
    before, after = (
        pd.DataFrame({"a": range(30), "b": range(30)}),
        pd.DataFrame({"a": ["x", "y"] * 15, "b": range(30)}),
    )
    found = compared(before, after)
    assert found["schema"]["retyped"] == [{"column": "a", "before": "integer", "after": "category"}]
    assert of(found, "a")["distance"] is None


def test_of_a_personal_column_only_counts_are_told() -> None:
    columns, profile = describe(snapshot())
    hidden = [replace(one, personal=Treatment.drop) if one.name == "dose" else one for one in columns]
    found = of(difference((columns, profile), (hidden, profile)), "dose")
    assert set(found) == {"column", "type", "missing", "distinct", "distance", "verdict"}
    assert found["verdict"] == "personal"


def test_columns_without_any_value_are_compared() -> None:
    before = pd.DataFrame({"a": [None] * 30, "b": range(30)})
    assert of(compared(before, before.assign(a=1.5)), "a")["missing"] == {"before": 1.0, "after": 0.0}
