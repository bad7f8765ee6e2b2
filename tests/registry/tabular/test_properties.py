"""What holds for every table, whatever it contains."""

import json
import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from registry.tabular.holdout import holdout_mask, row_hashes
from registry.tabular.labels import as_text, label_text
from registry.tabular.profile import profile_frame
from registry.tabular.schema import Column, ColumnType, SchemaMismatch, coerce_frame, infer_schema

QUICK = settings(max_examples=60, deadline=None)
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
texts = st.text(alphabet=characters, max_size=12)
number_texts = st.one_of(
    st.integers().map(str), st.floats().map(str), st.sampled_from(["1e400", " 7 ", "007"])
)
date_texts = st.dates().map(lambda day: day.isoformat())
cells = st.one_of(st.none(), texts, number_texts, date_texts)
columns_of_values: st.SearchStrategy[list[Any]] = st.one_of(
    st.lists(cells, min_size=1, max_size=30),
    st.lists(st.one_of(st.none(), number_texts), min_size=1, max_size=30),
    st.lists(st.one_of(st.none(), date_texts), min_size=1, max_size=30),
    st.lists(st.floats(), min_size=1, max_size=30),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=30),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=1, max_size=30),
    st.lists(st.sampled_from(["a", "b", None]), min_size=1, max_size=30),
    st.lists(st.datetimes(), min_size=1, max_size=30),
)
tables = columns_of_values.map(lambda values: pd.DataFrame({"c": values}))


@QUICK
@given(tables)
def test_a_table_always_fits_the_schema_that_was_read_from_it(frame: pd.DataFrame) -> None:
    columns = infer_schema(frame)
    canonical = coerce_frame(frame, columns)
    assert len(canonical) == len(frame)
    assert list(canonical.columns) == ["c"]


@QUICK
@given(tables)
def test_bringing_a_table_to_its_schema_twice_changes_nothing_more(frame: pd.DataFrame) -> None:
    columns = infer_schema(frame)
    once = coerce_frame(frame, columns)
    pd.testing.assert_frame_equal(coerce_frame(once, columns), once)


@QUICK
@given(tables)
def test_a_column_may_be_missing_just_where_a_model_saw_missing_values(frame: pd.DataFrame) -> None:
    (column,) = infer_schema(frame)
    assert column.nullable == bool(coerce_frame(frame, [column])["c"].isna().any())


@QUICK
@given(tables)
def test_a_profile_is_plain_json_and_counts_every_row(frame: pd.DataFrame) -> None:
    profile = profile_frame(frame, infer_schema(frame))
    assert json.loads(json.dumps(profile, allow_nan=False)) == profile
    assert profile["rows"] == len(frame)
    histogram = profile["columns"]["c"].get("histogram")
    if histogram is not None:
        assert sum(histogram["counts"]) + histogram.get("other", 0) + histogram["missing"] == len(frame)


@QUICK
@given(tables, st.sampled_from(list(ColumnType)))
def test_a_table_of_another_kind_fits_or_is_refused_by_name(frame: pd.DataFrame, kind: ColumnType) -> None:
    before, detail = frame.copy(), ""
    try:
        coerce_frame(frame, [Column("c", kind, nullable=True)])
    except SchemaMismatch as error:
        detail = error.detail
    assert not detail or detail.startswith("Column c must hold")
    pd.testing.assert_frame_equal(frame, before)


@QUICK
@given(st.one_of(texts, st.integers(), st.booleans(), st.floats()))
def test_a_label_spelt_again_is_spelt_the_same(value: object) -> None:
    assert label_text(label_text(value)) == label_text(value)


@QUICK
@given(st.integers(-(2**53), 2**53))
def test_a_whole_number_has_one_spelling_from_every_source(value: int) -> None:
    assert label_text(float(value)) == label_text(value) == label_text(str(value))


@QUICK
@given(st.lists(st.one_of(st.none(), texts, st.integers(), st.booleans()), max_size=20))
def test_text_is_never_blank(values: list[object]) -> None:
    text = as_text(pd.Series(values, dtype=object)).dropna()
    assert all(value and value == value.strip() for value in text)


labelled_rows = st.lists(
    st.tuples(st.integers(0, 1000), texts, st.sampled_from(["yes", "no"])), min_size=6, max_size=60
)


def as_table(rows: list[tuple[int, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["x", "note", "ill"]).astype({"note": "str", "ill": "str"})


@QUICK
@given(labelled_rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_to_the_hold_out(rows: list[Any], random: Any) -> None:
    frame = as_table(rows)
    assume(len(frame.drop_duplicates()) > 1)
    places = list(frame.index)
    random.shuffle(places)
    mask = pd.Series(holdout_mask(frame, "ill"), index=frame.index)
    shuffled = pd.Series(holdout_mask(frame.loc[places], "ill"), index=places)
    assert mask.equals(shuffled.sort_index())


@QUICK
@given(labelled_rows)
def test_equal_rows_never_stand_on_both_sides(rows: list[Any]) -> None:
    frame = as_table(rows + rows[:3])
    assume(len(frame.drop_duplicates()) > 1)
    mask = holdout_mask(frame, "ill")
    hashes = row_hashes(frame, "ill")
    assert not set(hashes[mask]) & set(hashes[~mask])


@QUICK
@given(labelled_rows)
def test_every_class_stays_in_training(rows: list[Any]) -> None:
    frame = as_table(rows)
    assume(len(frame.drop_duplicates()) > 1)
    mask = holdout_mask(frame, "ill")
    learnt = set(frame["ill"][~mask])
    several = frame.groupby("ill").filter(lambda group: len(group.drop_duplicates()) > 1)
    assert set(several["ill"]) <= learnt
    assert learnt


@QUICK
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=40))
def test_a_summary_lies_within_the_values(values: list[float]) -> None:
    column = profile_frame(pd.DataFrame({"c": values}), [Column("c", ColumnType.numeric, nullable=False)])
    summary = column["columns"]["c"]
    assert (summary["min"], summary["max"]) == (min(values), max(values))
    quantiles = list(summary["quantiles"].values())
    assert quantiles == sorted(quantiles)
    assert all(value in values for value in quantiles)
    if summary["mean"] is not None:
        spread = 1e-9 * max(map(abs, values))
        assert min(values) - spread <= summary["mean"] <= max(values) + spread
        assert math.isfinite(summary["mean"])


@pytest.mark.parametrize("kind", ["Int64", "Float64", "boolean", "string", "category"])
def test_missing_values_of_every_storage_type_count_as_missing(kind: str) -> None:
    values: dict[str, list[Any]] = {
        "Int64": [1, 2, None],
        "Float64": [0.5, 1.5, None],
        "boolean": [True, False, None],
        "string": ["a", "b", None],
        "category": ["a", "b", None],
    }
    frame = pd.DataFrame({"c": values[kind]}).astype({"c": kind})
    columns = infer_schema(frame)
    assert columns[0].nullable
    assert profile_frame(frame, columns)["columns"]["c"]["missing"] == 1
