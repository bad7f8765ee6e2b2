import json

import numpy as np
import pandas as pd
import pytest

from registry.tabular.profile import profile_frame
from registry.tabular.schema import SchemaMismatch, infer_schema


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "dose": [1.0, 2.0, 3.0, np.nan],
            "ward": ["a", "a", "b", None],
            "seen": pd.to_datetime(pd.Series(["2026-01-01", "2026-03-01", None, "2026-02-01"])),
            "empty": [None] * 4,
            "ill": [True, False, True, True],
        }
    )


def test_a_number_has_moments_quantiles_and_a_histogram(frame: pd.DataFrame) -> None:
    dose = profile_frame(frame, infer_schema(frame))["columns"]["dose"]
    assert (dose["mean"], dose["min"], dose["max"], dose["missing"], dose["distinct"]) == (
        2.0,
        1.0,
        3.0,
        1,
        3,
    )
    assert dose["std"] == pytest.approx(np.std([1, 2, 3]))
    assert dose["quantiles"]["0.5"] == 2.0
    assert dose["histogram"]["counts"] == [1, 1, 1]


def test_a_category_has_a_histogram_and_a_date_its_range(frame: pd.DataFrame) -> None:
    columns = profile_frame(frame, infer_schema(frame))["columns"]
    assert columns["ward"]["histogram"]["counts"] == [2, 1]
    assert columns["seen"]["min"] == "2026-01-01T00:00:00"
    assert columns["ill"]["histogram"]["counts"] == [1, 3]


def test_it_fits_strict_json_with_empty_and_extreme_columns(frame: pd.DataFrame) -> None:
    frame["huge"] = [1e308, -1e308, 1e308, 1e308]
    columns = infer_schema(frame)
    profile = profile_frame(frame, columns)
    assert json.loads(json.dumps(profile, allow_nan=False))["rows"] == 4
    assert json.dumps(profile_frame(frame.iloc[:0], columns), allow_nan=False)


def test_it_refuses_a_frame_of_another_schema(frame: pd.DataFrame) -> None:
    with pytest.raises(SchemaMismatch, match="ward"):
        profile_frame(frame.drop(columns="ward"), infer_schema(frame))
