"""Rows from CSV and Parquet bodies that anybody may send."""

import io
from typing import Any
from unittest import mock

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from registry.errors import InvalidRows, UnreadableRows
from registry.protocols.tables import csv_rows, parquet_rows
from registry.tabular.schema import Column, ColumnType

COLUMNS = [
    Column("age", ColumnType.integer, nullable=True),
    Column("smoker", ColumnType.boolean, nullable=True),
    Column("ward", ColumnType.category, nullable=True),
    Column("day", ColumnType.date, nullable=True),
]


def parquet_of(frame: pd.DataFrame | pa.Table, **options: Any) -> bytes:
    file = io.BytesIO()
    table = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame)
    parquet.write_table(table, file, **options)
    return file.getvalue()


def test_cells_are_read_as_their_columns_say() -> None:
    text = '\ufeffage,smoker,ward,day\r\n40,True,"a, b",2026-01-31\n 1.5e1,false,3,\n\n,,,\n'
    assert csv_rows(text.encode(), COLUMNS, 5) == [
        {"age": 40, "smoker": True, "ward": "a, b", "day": "2026-01-31"},
        {"age": 15.0, "smoker": False, "ward": "3", "day": None},
        {"age": None, "smoker": None, "ward": None, "day": None},
    ]


@pytest.mark.parametrize("cell", ["nan", "inf", "1_000", "１２", "0x10", "1,5", "9" * 500])
def test_what_is_no_number_stays_text_for_the_check_to_name(cell: str) -> None:
    [row] = csv_rows(f'age\n"{cell}"\n'.encode(), COLUMNS, 5)
    assert row == {"age": cell}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"age,ward\n1\n", "Data row 1 of the CSV has 1 cells"),
        (b"age\n1,2\n", "has 2 cells; the header has 1"),
        (b'age\n"1\n', "cannot be read"),
        (b'age\n"1"2\n', "cannot be read"),
        (b"age\n\xff\n", "not UTF-8"),
        (b"a" + b",a" * 20_000, "columns"),
        (b"age\n" + b"1" * 200_000, "cannot be read"),
    ],
)
def test_a_broken_csv_is_refused_with_what_is_wrong(body: bytes, words: str) -> None:
    with pytest.raises(UnreadableRows, match=words):
        csv_rows(body, COLUMNS, 5)


@pytest.mark.parametrize("body", [b"age\n", b"age\n" + b"1\n" * 6, b"age,age\n1,2\n"])
def test_too_few_rows_too_many_and_doubled_columns_are_refused(body: bytes) -> None:
    with pytest.raises(InvalidRows):
        csv_rows(body, COLUMNS, 5)


def test_parquet_gives_the_rows_that_json_would() -> None:
    frame = pd.DataFrame(
        {
            "age": [40, None],
            "smoker": [True, None],
            "ward": pd.Categorical(["a", None]),
            "day": [pd.Timestamp("2026-01-31"), None],
        },
        index=["r1", "r2"],
    )
    assert parquet_rows(parquet_of(frame), COLUMNS, 5) == [
        {"age": 40.0, "smoker": True, "ward": "a", "day": "2026-01-31T00:00:00"},
        {"age": None, "smoker": None, "ward": None, "day": None},
    ]


def _damaged() -> list[bytes]:
    whole = parquet_of(pd.DataFrame({"age": range(5)}))
    return [b"", whole[:-1], whole[: len(whole) // 2] + whole[-4:], b"PAR1PAR1", b"PK\x03\x04"]


@pytest.mark.parametrize("body", _damaged())
def test_a_damaged_parquet_file_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableRows):
        parquet_rows(body, COLUMNS, 5)


def test_a_parquet_file_of_other_things_is_refused() -> None:
    for table in (
        pa.table({"age": [[1], [2]]}),
        pa.table({"age": [b"1", b"2"]}),
        pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["age", "age"]),
        pa.table({"age": list(range(6))}),
        pa.table({"age": pa.array([], pa.int64())}),
    ):
        with pytest.raises(InvalidRows):
            parquet_rows(parquet_of(table), COLUMNS, 5)


def test_a_small_file_that_unpacks_to_far_more_is_refused() -> None:
    bomb = parquet_of(pa.table({"ward": ["x" * 1_000_000] * 200}), compression="zstd")
    assert len(bomb) < 100_000
    with pytest.raises(UnreadableRows, match="unpacks to more"):
        parquet_rows(bomb, COLUMNS, 1000)
    plain = parquet_of(pa.table({"ward": ["x" * 1_000_000]}), compression="zstd", use_dictionary=False)
    with (
        mock.patch("registry.protocols.tables.MOST_UNPACKED", 100_000),
        pytest.raises(UnreadableRows, match="unpacks to more"),
    ):
        parquet_rows(plain, COLUMNS, 1000)
