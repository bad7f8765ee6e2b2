"""Uploads made to exhaust the server (hostile inputs 15 to 18): refused, with a reason, at little cost."""

import gzip
import io
import resource
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from pytest_django import Settings

from tests.workbooks import make_workbook, workbook_rows
from training.errors import UnreadableFile
from training.sources.files import read_table

SECONDS = 20  # on a busy machine; each takes a fraction of a second on an idle one


@pytest.fixture(autouse=True)
def _quickly() -> Iterator[None]:
    """Demand that whatever is tried is refused in bounded time."""
    began = time.process_time()
    yield
    assert time.process_time() - began < SECONDS


def refusal(content: bytes | Path) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read_table(content if isinstance(content, Path) else io.BytesIO(content))
    return caught.value.detail


class TestArchives:
    """15 and 16: nothing is unpacked at all."""

    def _zip(self, *names: str) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.writestr(name, b"0" * 1_000_000)
        return buffer.getvalue()

    @pytest.mark.parametrize("name", ["rows.csv", "../../etc/passwd", "/etc/passwd", "inner.zip"])
    def test_15_a_zip_is_refused_by_its_first_bytes(self, name: str) -> None:
        assert "ZIP archive" in refusal(self._zip(name))

    def test_15_a_zip_named_csv_is_told_by_content(self) -> None:
        with pytest.raises(UnreadableFile, match="ZIP archive"):
            read_table(io.BytesIO(self._zip("rows.csv")), "rows.csv")

    def test_16_a_gzip_bomb_is_not_unpacked(self) -> None:
        assert "gzip-compressed" in refusal(gzip.compress(b"0" * 10_000_000))

    def test_18_what_only_looks_like_a_workbook(self) -> None:
        assert "cannot be read" in refusal(self._zip("[Content_Types].xml", "xl/workbook.xml"))

    def test_18_a_workbook_with_entities_expands_nothing(self, tmp_path: Path) -> None:
        entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
        doctype = f'<!DOCTYPE b [<!ENTITY a0 "ha">{entities}]>'
        rows = workbook_rows([["a", "b"], *([[1, "&a11;"]] * 30)], escaped=False)
        path = make_workbook(tmp_path / "entities.xlsx", {"S": rows}, doctype=doctype)
        assert refusal(path)

    def test_18_two_cells_far_apart_span_a_sheet_that_no_memory_holds(self, tmp_path: Path) -> None:
        rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
        path = make_workbook(tmp_path / "far.xlsx", {"S": rows})
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert "unpacks to more than can be read" in refusal(path)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KB

    def test_18_a_workbook_that_unpacks_a_thousandfold(self, tmp_path: Path, settings: Settings) -> None:
        path = make_workbook(tmp_path / "wide.xlsx", {"S": " " * 20_000_000})
        settings.MAX_TABLE_BYTES = 10_000_000
        assert "unpacks to more than can be read" in refusal(path)


class TestJsonLines:
    """29: nested without end, or with more names than are read."""

    def test_29_a_hundred_thousand_levels(self) -> None:
        assert "nested deeper" in refusal(b'{"a":' * 100_000 + b"1" + b"}" * 100_000)

    def test_29_levels_hidden_behind_text(self) -> None:
        rows = b'{"a": 1, "b": 2}\n' * 30
        assert "Line 31" in refusal(
            rows + b'{"b": "' + b"}" * 99_999 + b'", "a": ' + b"[" * 100_000 + b"\n" + rows
        )

    def test_29_more_names_than_are_read(self) -> None:
        row = ",".join(f'"n{place}": 1' for place in range(3_000))
        assert "has 3,000 columns" in refusal(("{" + row + "}\n").encode() * 20)


class TestCsv:
    """17: wide, long, endless and broken text."""

    def test_17_one_row_of_a_million_columns(self) -> None:
        names = ",".join(f"c{place}" for place in range(500_000))
        assert "at most 2,000 are read" in refusal(f"{names}\n{names}\n".encode())

    def test_17_a_header_longer_than_what_is_looked_at(self) -> None:
        assert refusal(("a" * 5_000_000 + ",b\n1,2\n").encode())

    def test_17_the_cap_is_a_setting(self, settings: Settings) -> None:
        settings.MAX_COLUMNS = 3
        rows = b"a,b,c,d\n" + b"1,2,3,4\n" * 30
        assert "has 4 columns; at most 3" in refusal(rows)
        settings.MAX_COLUMNS = 4
        assert read_table(io.BytesIO(rows)).shape == (30, 4)

    def test_17_a_cell_of_megabytes(self) -> None:
        rows = b"a,b\n" + b"1,2\n" * 100
        assert refusal(rows + b'"' + b"x" * 20_000_000 + b'",2\n')

    def test_17_a_quote_that_is_never_closed(self) -> None:
        assert refusal(b'a,b\n1,"2\n' + b"3,4\n" * 100_000)

    @pytest.mark.parametrize("break_", [b"\n\n", b"\r", b"\r\n"])
    def test_17_other_line_ends_are_read(self, break_: bytes) -> None:
        assert len(read_table(io.BytesIO(break_.join([b"a,b"] + [b"1,2"] * 25)))) == 25

    def test_17_a_row_of_another_length_is_named(self) -> None:
        assert "Line 12 has 3 cells" in refusal(b"a,b\n" + b"1,2\n" * 10 + b"1,2,3\n" + b"1,2\n" * 20)


class TestParquet:
    """18: a small file that spells a huge table."""

    @pytest.fixture
    def pool(self) -> Iterator[pa.MemoryPool]:
        """A pool of pyarrow's memory whose peak is the reading's alone."""
        usual, pool = pa.default_memory_pool(), pa.system_memory_pool()
        yield pool
        pa.set_memory_pool(usual)

    def _said(self, path: Path, pool: pa.MemoryPool) -> str:
        pa.set_memory_pool(pool)
        return refusal(path)

    def test_18_millions_of_rows_of_one_number(
        self, tmp_path: Path, settings: Settings, pool: pa.MemoryPool
    ) -> None:
        settings.MAX_TABLE_BYTES = 30_000_000
        path = tmp_path / "bomb.parquet"
        column = pa.repeat(pa.scalar(1.5), 2_000_000)
        parquet.write_table(pa.table({"a": column, "b": column}), path)
        assert path.stat().st_size < 20_000
        assert "unpacks to more than 30,000,000 bytes" in self._said(path, pool)
        assert pool.max_memory() < 1_000_000

    def test_18_one_long_text_repeated(self, tmp_path: Path, pool: pa.MemoryPool) -> None:
        path = tmp_path / "bomb.parquet"
        index = pa.array(np.zeros(100_000, dtype=np.int32))
        text = pa.DictionaryArray.from_arrays(index, pa.array(["x" * 100_000]))
        parquet.write_table(pa.table({"a": range(100_000), "b": text}), path)
        assert path.stat().st_size < 1_000_000
        assert "unpacks to more than 2,000,000,000 bytes" in self._said(path, pool)
        assert pool.max_memory() < 10_000_000

    def test_18_what_just_fits_is_read(self, tmp_path: Path, settings: Settings) -> None:
        path = tmp_path / "fits.parquet"
        parquet.write_table(pa.table({"a": range(1000), "b": ["ten letters"] * 1000}), path)
        settings.MAX_TABLE_BYTES = 15_000
        assert len(read_table(path)) == 1000
        settings.MAX_TABLE_BYTES = 14_999
        assert "unpacks to more than" in refusal(path)

    def test_18_more_columns_than_are_read(self, tmp_path: Path) -> None:
        path = tmp_path / "wide.parquet"
        parquet.write_table(pa.table({f"c{place}": [1] * 20 for place in range(2_001)}), path)
        assert "has 2,001 columns" in refusal(path)

    def test_18_a_header_that_lies_about_its_rows(self, tmp_path: Path) -> None:
        path = tmp_path / "lies.parquet"
        parquet.write_table(pa.table({"a": range(30), "b": range(30)}), path)
        content = bytearray(path.read_bytes())
        length = int.from_bytes(content[-8:-4], "little")
        for place in range(len(content) - 8 - length, len(content) - 8, 3):
            broken = bytearray(content)
            broken[place] ^= 0xFF
            path.write_bytes(broken)
            try:
                frame = read_table(path)
            except UnreadableFile:
                continue
            assert len(frame) <= 30


def test_17_millions_of_short_rows_take_bounded_memory(tmp_path: Path) -> None:
    """Read in a process of its own, whose peak is the file's size times a small number."""
    path = tmp_path / "long.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 1_000_000)
    code = f"""
import os, resource
os.environ["DJANGO_SETTINGS_MODULE"] = "mlplatform.settings"
from training.sources.files import read_table
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert len(read_table({str(path)!r})) == 1_000_000
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) * 1024 < 40 * path.stat().st_size
