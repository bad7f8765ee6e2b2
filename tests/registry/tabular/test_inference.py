import numpy as np
import pandas as pd
import pytest

from registry.tabular.schema import ColumnType, columns_from_json, columns_to_json, infer_schema

N = 100


def kind(values: object, name: str = "column") -> ColumnType:
    return infer_schema(pd.DataFrame({name: values}))[0].type


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.5, 1.5], ColumnType.numeric),
        ([0, 1, 1], ColumnType.integer),
        ([True, False], ColumnType.boolean),
        ([True, None], ColumnType.boolean),
        (["red", "blue", "red"], ColumnType.category),
        ([None, None], ColumnType.ignored),
        (["", " "], ColumnType.ignored),
        (["1.5", "2", "1e3"], ColumnType.numeric),
        (["0123", "0456", "0123"], ColumnType.category),
        (["2026-01-01", "2026-02-01T08:00:00Z", None], ColumnType.date),
        (pd.to_datetime(["2026-01-01"]), ColumnType.date),
        ([f"part-{i}" for i in range(N)], ColumnType.identifier),
        ([f"a long sentence about case {i}" for i in range(N)], ColumnType.text),
        ([f"town {i % 60}" for i in range(N)], ColumnType.identifier),
        ([f"town {i % 60}" for i in range(10 * N)], ColumnType.category),
    ],
)
def test_it_reads_the_meaning_from_the_values(values: object, expected: ColumnType) -> None:
    assert kind(values) is expected


@pytest.mark.parametrize("name", ["id", "patient_id", "Unnamed: 0"])
def test_distinct_integers_named_like_an_id_are_an_identifier(name: str) -> None:
    assert kind(range(N), name) is ColumnType.identifier


def test_distinct_integers_of_another_name_stay_integers() -> None:
    assert kind(range(N), "price") is ColumnType.integer


def test_a_few_unreadable_dates_do_not_unmake_a_date_column() -> None:
    assert kind(["2026-01-01"] * 98 + ["unknown"] * 2) is ColumnType.date
    assert kind(["2026-01-01"] * 90 + ["unknown"] * 10) is ColumnType.category


def test_a_plain_year_is_a_number_and_no_date() -> None:
    assert kind(["1999", "2001"]) is ColumnType.numeric


def test_categories_come_with_the_most_frequent_first() -> None:
    column = infer_schema(pd.DataFrame({"c": ["b", "a", "c", "b", None]}))[0]
    assert column.categories == ("b", "a", "c")
    assert column.nullable


def test_a_thousand_categories_are_remembered_at_most() -> None:
    values = np.repeat([f"v{i}" for i in range(1500)], 20)
    assert len(infer_schema(pd.DataFrame({"c": values}))[0].categories) == 1000


def test_columns_survive_json() -> None:
    columns = infer_schema(pd.DataFrame({"a": [1.5, None], "b": ["x", "y"]}))
    assert columns_from_json(columns_to_json(columns)) == columns


@pytest.mark.parametrize(
    "values", [["red", " ", "red"], [1.5, np.inf], ["2026-01-01"] * 98 + ["unknown"] * 2, [1, None]]
)
def test_what_a_model_will_see_as_missing_makes_a_column_nullable(values: list[object]) -> None:
    assert infer_schema(pd.DataFrame({"c": values}))[0].nullable
