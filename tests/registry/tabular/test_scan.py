"""A table described in parts says what it says at once."""

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest

from registry.tabular import scan
from registry.tabular.correlations import correlations
from registry.tabular.distinct import SMALLEST, DistinctCounter
from registry.tabular.errors import SchemaMismatch
from registry.tabular.scan import describe, describe_parts
from registry.tabular.schema import ColumnType, infer_schema
from registry.tabular.writing import read_parts, write_parts

ROWS = 3000


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    draw = np.random.default_rng(3)
    dose = draw.normal(5, 2, ROWS)
    return pd.DataFrame(
        {
            "id": range(ROWS),
            "dose": np.where(draw.random(ROWS) < 0.1, np.nan, dose),
            "twice": 2 * dose,
            "stage": draw.integers(1, 5, ROWS),
            "ward": pd.Series(draw.choice(["a", "b", "c", ""], ROWS)).replace("", None),
            "ill": pd.array(draw.random(ROWS) < 0.3, dtype="boolean"),
            "seen": pd.Timestamp("2024-01-01") + pd.to_timedelta(draw.integers(0, 300, ROWS), "D"),
            "late": pd.Series(["1"] * (ROWS - 1) + ["x"]),
        }
    )


def in_parts(frame: pd.DataFrame, size: int = 700) -> list[pd.DataFrame]:
    return [frame.iloc[start : start + size] for start in range(0, len(frame), size)]


def test_all_rows_sampled_give_the_same_schema_and_profile(frame: pd.DataFrame) -> None:
    columns, profile = describe_parts(lambda: in_parts(frame), ROWS)
    expected, whole = describe(frame)
    assert columns == expected
    assert profile.pop("sample_rows") == ROWS
    for name, facts in whole["columns"].items():
        for fact, value in facts.items():
            found = profile["columns"][name][fact]
            assert found == (pytest.approx(value) if fact in {"mean", "std"} else value), (name, fact)
    assert profile["correlations"] == whole["correlations"]


def test_a_sample_keeps_counts_exact(frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "SAMPLE_ROWS", 200)
    columns, profile = describe_parts(lambda: in_parts(frame), ROWS)
    expected, whole = describe(frame)
    assert profile["sample_rows"] == 200
    kinds = {column.name: column.type for column in columns}
    assert kinds == {column.name: column.type for column in expected}
    assert kinds["late"] is ColumnType.category  # all numbers, but for one that the sample may miss
    for name, facts in whole["columns"].items():
        found = profile["columns"][name]
        assert (found["missing"], found["distinct"]) == (facts["missing"], facts["distinct"])
        if "histogram" in facts:
            assert (
                sum(found["histogram"]["counts"]) + found["histogram"].get("other", 0)
                == ROWS - facts["missing"]
            )
    dose, exact = profile["columns"]["dose"], whole["columns"]["dose"]
    assert (dose["min"], dose["max"]) == (exact["min"], exact["max"])
    assert dose["mean"] == pytest.approx(exact["mean"])
    assert abs(dose["quantiles"]["0.5"] - exact["quantiles"]["0.5"]) < 0.5


def test_a_chosen_type_that_does_not_fit_is_refused(
    frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    types = {"late": ColumnType.numeric}
    with pytest.raises(SchemaMismatch, match="late"):
        describe(frame, types)
    monkeypatch.setattr(scan, "SAMPLE_ROWS", 200)
    with pytest.raises(SchemaMismatch, match="late"):
        describe_parts(lambda: in_parts(frame), ROWS, types)


@pytest.mark.parametrize("count", [0, 1, 5_000, 200_000])
def test_different_values_are_counted_in_bounded_memory(count: int) -> None:
    counter = DistinctCounter()
    for start in range(0, count, 50_000):
        values = pd.Series(np.arange(start, min(start + 50_000, count)) * 7.5)
        counter.add(values)
        counter.add(values)
    assert counter._smallest.size <= SMALLEST
    assert counter.count == (count if count < SMALLEST else pytest.approx(count, rel=0.04))


def test_correlations_are_those_of_the_library(frame: pd.DataFrame) -> None:
    found = correlations(frame, infer_schema(frame))["correlations"]
    numbers = frame[found["columns"]].astype("float64")
    for kind in ("pearson", "spearman"):
        expected = (
            numbers.corr(method=kind).to_numpy() if kind == "pearson" else numbers.rank().corr().to_numpy()
        )
        assert np.allclose(np.array(found[kind], dtype=float), expected, atol=1e-4)
    assert found["columns"] == ["dose", "twice", "stage", "ill"]


def test_what_does_not_vary_correlates_with_nothing() -> None:
    frame = pd.DataFrame({"a": [1.0] * 30, "b": range(30), "c": ["x"] * 30})
    assert correlations(frame, infer_schema(frame)) == {}


@pytest.mark.parametrize("size", [1, 10, 333, 5000])
def test_the_same_rows_make_the_same_bytes_in_whatever_parts(
    frame: pd.DataFrame, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.tabular.writing.GROUP_CELLS", 100 * len(frame.columns))
    rows = frame.head(990)
    hashes: set[Any] = set()
    for parts in (in_parts(rows, size), [rows]):
        target = io.BytesIO()
        written = write_parts(parts, target, keep_cells=10)
        assert written.frame is None
        assert (written.rows, written.size) == (990, len(target.getvalue()))
        hashes.add(written.sha256)
        groups = list(read_parts(target))
        assert [len(group) for group in groups] == [100] * 9 + [90]
        pd.testing.assert_frame_equal(pd.concat(groups, ignore_index=True), rows)
    assert len(hashes) == 1
