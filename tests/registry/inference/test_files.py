"""Rows from files, as they would be sent as JSON."""

from pathlib import Path

import pandas as pd
import pytest

from registry.errors import UnreadableRows
from registry.inference.files import check_output, frame_rows, read_rows, write_answers
from registry.inference.schema import check_rows
from registry.tabular.schema import Column, ColumnType

COLUMNS = [
    Column("age", ColumnType.numeric, nullable=True),
    Column("smoker", ColumnType.boolean, nullable=True),
    Column("postcode", ColumnType.category, nullable=True),
    Column("seen", ColumnType.date, nullable=True),
]


def test_csv_values_take_the_type_of_their_column(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("postcode,age,smoker,seen\n01234,41,true,2026-01-31\n,,,\n")
    rows = frame_rows(read_rows(file, COLUMNS), COLUMNS)
    assert rows == [
        {"postcode": "01234", "age": 41.0, "smoker": True, "seen": "2026-01-31"},
        {"postcode": None, "age": None, "smoker": None, "seen": None},
    ]
    assert check_rows(rows, COLUMNS) == []


def test_what_is_no_number_is_left_for_the_row_check_to_name(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("age,smoker,postcode,seen\nold,perhaps,1,2026-01-31\n42,no,2,2026-01-31\n")
    errors = check_rows(frame_rows(read_rows(file, COLUMNS), COLUMNS), COLUMNS)
    assert {(error["row"], error["field"]) for error in errors} == {(0, "age"), (0, "smoker"), (1, "smoker")}


def test_parquet_rows_fit_too(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "age": [41, None],
            "smoker": [True, False],
            "postcode": ["01234", None],
            "seen": pd.to_datetime(pd.Series(["2026-01-31T08:00:00Z", None])),
        }
    )
    file = tmp_path / "rows.parquet"
    frame.to_parquet(file)
    rows = frame_rows(read_rows(file, COLUMNS), COLUMNS)
    assert rows[0]["seen"] == "2026-01-31T08:00:00Z"
    assert check_rows(rows, COLUMNS) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.xlsx", b""),
        ("gone.csv", None),
        ("rows.csv", b""),
        ("rows.csv", b"\xff\xfe\x00a"),
        ("rows.parquet", b"no"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableRows):
        read_rows(tmp_path / name, COLUMNS)


def test_answers_are_written_by_the_ending(tmp_path: Path) -> None:
    answers = pd.DataFrame({"prediction": ["benign"], "p_benign": [0.9]})
    write_answers(answers, tmp_path / "a.csv")
    write_answers(answers, tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "a.csv"), answers)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), answers)


@pytest.mark.parametrize("path", ["answers.txt", "no-such-folder/answers.csv"])
def test_an_output_that_cannot_be_written_is_known_beforehand(tmp_path: Path, path: str) -> None:
    with pytest.raises(UnreadableRows):
        check_output(tmp_path / path)
