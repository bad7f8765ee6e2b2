"""JSON Lines, Excel and decimal commas; and that what comes in parts is the same as what comes at once."""

import io
import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.workbooks import make_workbook, workbook_rows
from training.errors import UnreadableFile
from training.sources import parquet as parquet_source
from training.sources.delimited import read_csv
from training.sources.files import read_table
from training.sources.jsonlines import read_json_lines
from training.sources.records import last_end, slices


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Have files cut after some hundred bytes, once it is called."""
    return lambda: monkeypatch.setattr("training.sources.records.SLICE_BYTES", 777)


def read(content: str | bytes) -> pd.DataFrame:
    return read_table(io.BytesIO(content.encode() if isinstance(content, str) else content))


def refusal(content: str | bytes | Path, sheet: str = "") -> str:
    source = (
        content
        if isinstance(content, Path)
        else io.BytesIO(content if isinstance(content, bytes) else content.encode())
    )
    with pytest.raises(UnreadableFile) as caught:
        read_table(source, sheet=sheet)
    return caught.value.detail


def lines(*rows: object, times: int = 10) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows) * times


class TestDecimalCommas:
    @pytest.mark.parametrize(
        ("values", "numbers"),
        [
            (["1,5", "-2,25", "3"], [1.5, -2.25, 3]),
            (["1.234,5", "12.345.678,25", "7"], [1234.5, 12345678.25, 7]),
            (["1 234,5", "2,0", "1\u00a0000"], [1234.5, 2, 1000]),
            (["0,125", "2,750", ""], [0.125, 2.75, None]),
        ],
    )
    def test_a_column_of_them_is_numbers(self, values: list[str], numbers: list[float | None]) -> None:
        frame = read("a;b\n" + "".join(f"{value};x\n" for value in values) * 10)
        assert str(frame["a"].dtype) == "float64"
        assert frame["a"].head(3).astype(object).where(frame["a"].head(3).notna(), None).tolist() == numbers

    @pytest.mark.parametrize(
        "values",
        [
            ["1,234", "2,345"],  # thousands as well as fractions
            ["1,5", "2.5"],  # both marks
            ["1,5", "about 2"],
            ["192.168.100.200", "192.168.100.201"],
            ["31.12.2024", "1,5"],
            ["1,5", "1,2,3"],
        ],
    )
    def test_anything_else_stays_text(self, values: list[str]) -> None:
        frame = read("a;b\n" + "".join(f"{value};x\n" for value in values) * 10)
        assert frame["a"].head(2).tolist() == values


class TestDelimiters:
    @pytest.mark.parametrize("delimiter", [":", "^", "~", " ", "\x1f"])
    def test_rare_ones_where_every_line_agrees(self, delimiter: str) -> None:
        frame = read(f"a{delimiter}b\n" + "".join(f"{n}{delimiter}x\n" for n in range(25)))
        assert list(frame.columns) == ["a", "b"]

    def test_a_usual_one_wins_over_a_rare_one(self) -> None:
        assert list(read("at,b\n" + "12:30:00,1\n" * 25).columns) == ["at", "b"]


class TestJsonLines:
    def test_each_name_is_a_column_and_a_missing_one_a_gap(self) -> None:
        frame = read(lines({"a": 1, "b": "x"}, {"b": "y", "c": True}, {"a": 2.5, "day": "2024-01-31"}))
        assert frame.columns.tolist() == ["a", "b", "c", "day"]
        assert [str(dtype) for dtype in frame.dtypes] == ["float64", "str", "boolean", "datetime64[s]"]
        assert frame.isna().sum().tolist() == [10, 10, 20, 20]

    def test_an_inner_object_becomes_columns(self) -> None:
        frame = read(lines({"a": 1, "address": {"city": "Bonn", "at": {"x": 1.5}}}, times=25))
        assert frame.columns.tolist() == ["a", "address.city", "address.at.x"]
        assert frame.iloc[0].tolist() == [1, "Bonn", 1.5]

    def test_a_list_is_refused_by_name(self) -> None:
        assert "Column 'b' holds lists" in refusal(lines({"a": 1, "b": [1, 2]}, times=25))

    def test_kinds_that_change_are_refused_with_their_line(self) -> None:
        assert "values of one kind" in refusal(lines({"a": 1, "b": 2}, times=25) + '{"a": "x", "b": 2}\n')

    def test_a_cut_line_is_refused(self) -> None:
        assert "cannot be read as JSON Lines" in refusal(lines({"a": 1, "b": 2}, times=25) + '{"a": 1,')

    def test_parts_make_the_same_table(self, tmp_path: Path, small_parts: Callable[[], None]) -> None:
        rows = [{"a": n, "b": "2024-01-01"} for n in range(300)]
        rows += [{"a": n / 4, "b": "later text", "in": {"c": n}} for n in range(300)]
        path = tmp_path / "rows.jsonl"
        path.write_text(lines(*rows, times=1))
        with ExitStack() as kept:
            whole = read_json_lines(path, quote=True, kept=kept).whole()
            small_parts()
            parts = list(read_json_lines(path, quote=True, kept=kept).tables())
        assert len(parts) > 5
        assert pa.concat_tables(parts).equals(whole.cast(parts[0].schema))


class TestExcel:
    ROWS: ClassVar[list[list[object]]] = [
        ["a", "b", "day", "ok"],
        *[[n, f"t{n % 3}", '<c r="{name}" s="1"><v>45000</v></c>', True] for n in range(30)],
    ]

    def test_the_first_sheet_is_read_with_its_types(self, tmp_path: Path) -> None:
        path = make_workbook(tmp_path / "rows.bin", {"One": workbook_rows(self.ROWS)})
        frame = read_table(path)
        assert [str(dtype) for dtype in frame.dtypes] == ["int64", "str", "datetime64[ms]", "boolean"]
        assert str(frame["day"][0].date()) == "2023-03-15"

    def test_a_sheet_by_name_and_another_is_refused(self, tmp_path: Path) -> None:
        sheets = {"Notes": workbook_rows([["see the next sheet"]]), "Data": workbook_rows(self.ROWS)}
        path = make_workbook(tmp_path / "rows.xlsx", sheets)
        assert len(read_table(path, sheet="Data")) == 30
        assert "Its sheets are: 'Notes', 'Data'" in refusal(path, sheet="Dat")

    def test_a_formula_counts_as_its_stored_value(self, tmp_path: Path) -> None:
        cells = [[n, f'<c r="{{name}}"><f>A{n}*2</f><v>{n * 2}</v></c>'] for n in range(25)]
        path = make_workbook(tmp_path / "rows.xlsx", {"S": workbook_rows([["a", "b"], *cells])})
        assert read_table(path)["b"].tolist() == [n * 2 for n in range(25)]

    def test_values_beside_the_table_are_refused(self, tmp_path: Path) -> None:
        cells = [[1, 2] for _ in range(25)]
        rows = workbook_rows([["a", "b"], *cells, [None, None, "total"]])
        path = make_workbook(tmp_path / "rows.xlsx", {"S": rows})
        assert "Column 3 of the sheet has values and no name" in refusal(path)


class TestParts:
    """A file is cut where records end, and its columns get one type whatever part shows it."""

    CSV = "n,late,gap,text,comma,day\n" + "".join(
        f'{n},{n if n < 500 else "x"},{"" if n == 590 else n},"a ""b"", c\nd{n}","{n % 7},5",2024-01-05\n'
        for n in range(600)
    )

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
    def test_csv_in_parts_is_the_same_table(
        self, tmp_path: Path, encoding: str, small_parts: Callable[[], None]
    ) -> None:
        path = tmp_path / "rows.csv"
        path.write_bytes(self.CSV.replace("text", "größe").encode(encoding))
        with ExitStack() as kept:
            whole = read_csv(path, quote=True, kept=kept).whole()
            small_parts()
            parts = list(read_csv(path, quote=True, kept=kept).tables())
        assert len(parts) > 5
        assert [str(kind) for kind in whole.schema.types] == [
            "int64",
            "string",
            "int64",
            "string",
            "double",
            "date32[day]",
        ]
        assert pa.concat_tables(parts).equals(whole.cast(parts[0].schema))
        assert str(parts[0].schema.field("gap").type) == "double"

    def test_a_bad_line_late_in_the_file_is_named(
        self, tmp_path: Path, small_parts: Callable[[], None]
    ) -> None:
        path = tmp_path / "rows.csv"
        small_parts()
        path.write_text("a,b\n" + "1,2\n" * 1000 + "1,2,3\n" + "1,2\n" * 10)
        with ExitStack() as kept, pytest.raises(UnreadableFile, match="Line 1002 has 3 cells"):
            read_csv(path, quote=True, kept=kept)

    def test_quotes_inside_plain_cells_open_nothing(self) -> None:
        data = b'5" pipe,1\n"quoted, \n cell",2\n6" pipe,3\nunfinished "'
        assert data[: last_end(data, ",")].endswith(b"pipe,3\n")

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_cutting_loses_nothing(self, tmp_path: Path, end: str, small_parts: Callable[[], None]) -> None:
        path = tmp_path / "rows.csv"
        content = (f'1,"a{end}b"{end}2,c{end}' * 400).encode()
        path.write_bytes(content)
        small_parts()
        cut = list(slices(path, start=0, delimiter=","))
        assert b"".join(cut) == content
        assert all(part.count(b'"') % 2 == 0 for part in cut)
        assert len(cut) > 3

    def test_parquet_in_parts_is_the_same_table(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "rows.parquet"
        table = pa.table({"n": [*range(4000), None], "t": pa.array([f"t{n % 9}" for n in range(4001)])})
        parquet.write_table(table, path)
        monkeypatch.setattr(parquet_source, "PART_ROWS", 1500)
        parts = list(parquet_source.read_parquet(path).tables())
        assert len(parts) > 1
        assert pa.concat_tables(parts).equals(table.cast(parts[0].schema))
