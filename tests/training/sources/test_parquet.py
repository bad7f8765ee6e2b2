"""Parquet files that are damaged, hostile, or hold what no table of ours may hold."""

import io
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from pytest_django import Settings

from training.errors import UnreadableFile
from training.sources import parquet as source

ROWS = 25


def read_parquet(path: Path) -> pa.Table:
    return source.read_parquet(path).whole()


def stored(folder: Path, table: pa.Table) -> Path:
    path = folder / "rows.parquet"
    parquet.write_table(table, path)
    return path


def with_column(values: Any) -> pa.Table:
    return pa.table({"a": range(ROWS), "b": values})


def refusal(folder: Path, table: pa.Table) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read_parquet(stored(folder, table))
    return caught.value.detail


def test_text_with_a_nul_character_is_refused_by_column(tmp_path: Path) -> None:
    assert "Column 'b' holds a NUL character" in refusal(tmp_path, with_column(["x\0y"] * ROWS))


@pytest.mark.parametrize(
    "values",
    [
        pa.array([2**31 - 1] * ROWS, pa.date32()),
        pa.array([-(2**62)] * ROWS, pa.timestamp("us")),
        pa.array([2**50] * ROWS, pa.timestamp("ms", "UTC")),
    ],
)
def test_dates_that_no_calendar_holds_are_refused(tmp_path: Path, values: pa.Array) -> None:
    assert "outside the years 1 to 9999" in refusal(tmp_path, with_column(values))


def test_the_last_day_of_the_calendar_is_read(tmp_path: Path) -> None:
    table = read_parquet(stored(tmp_path, with_column([date(9999, 12, 31)] * ROWS)))
    assert table["b"][0].as_py() == date(9999, 12, 31)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    offsets = np.arange(0, 2 * (ROWS + 1), 2, dtype=np.int32)
    broken = pa.StringArray.from_buffers(
        ROWS, pa.py_buffer(offsets.tobytes()), pa.py_buffer(b"\xff\xfe" * ROWS)
    )
    assert "UTF8" in refusal(tmp_path, with_column(broken))


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    numbers = pa.array(range(ROWS))
    assert "names 'a' twice" in refusal(tmp_path, pa.Table.from_arrays([numbers, numbers], ["a", "a"]))


def test_a_small_file_that_spells_out_a_huge_table_is_refused(tmp_path: Path, settings: Settings) -> None:
    settings.MAX_TABLE_BYTES = 1_000_000
    repeated = pa.array(["x" * 100_000] * ROWS).dictionary_encode()
    path = stored(tmp_path, with_column(repeated))
    assert path.stat().st_size < 200_000
    with pytest.raises(UnreadableFile, match="unpacks to more than"):
        read_parquet(path)


def test_repeated_text_comes_back_as_plain_text(tmp_path: Path) -> None:
    table = read_parquet(
        stored(tmp_path, with_column(pa.array(["x", None] * 12 + ["y"]).dictionary_encode()))
    )
    assert table["b"].type == pa.string()
    assert table["b"].to_pylist()[:2] == ["x", None]


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    parquet.write_table(with_column(range(ROWS)), buffer)
    path = tmp_path / "cut.parquet"
    path.write_bytes(b"PAR1" + buffer.getvalue()[200:])
    with pytest.raises(UnreadableFile, match="damaged"):
        read_parquet(path)
