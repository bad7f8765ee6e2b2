"""Tables from files that anybody may have made."""

import io
import pickle
import zipfile

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from training.errors import UnreadableFile
from training.sources.files import read_table

ROWS = "".join(
    f"{i},{i / 4},c{i % 3},2024-01-{i % 28 + 1:02d},{'yes' if i % 2 else 'no'}\n" for i in range(30)
)
CSV = "id,size,kind,day,answer\n" + ROWS


def read(content: str | bytes, name: str = "rows.csv") -> pd.DataFrame:
    return read_table(io.BytesIO(content.encode() if isinstance(content, str) else content), name)


def refusal(content: str | bytes, name: str = "rows.csv") -> str:
    with pytest.raises(UnreadableFile) as caught:
        read(content, name)
    return caught.value.detail


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


class TestCsv:
    def test_gives_each_column_its_type(self) -> None:
        kinds = [str(dtype) for dtype in read(CSV).dtypes]
        assert kinds == ["int64", "float64", "str", "datetime64[ms]", "str"]

    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_finds_the_delimiter(self, delimiter: str) -> None:
        frame = read(CSV.replace(",", delimiter))
        assert list(frame.columns) == ["id", "size", "kind", "day", "answer"]
        assert len(frame) == 30

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
    def test_reads_the_usual_encodings(self, encoding: str) -> None:
        frame = read(CSV.replace("kind", "größe").replace("c1", "Köln").encode(encoding))
        assert "größe" in frame.columns
        assert set(frame["größe"]) == {"c0", "Köln", "c2"}

    def test_reads_empty_cells_as_missing(self) -> None:
        frame = read("a,b\n" + "1,x\n,\nNA,null\n" * 10)
        assert frame.isna().sum().to_dict() == {"a": 20, "b": 20}

    def test_keeps_delimiters_and_line_breaks_inside_quotes(self) -> None:
        frame = read("a,b\n" + '1,"x, y\nz"\n' * 25)
        assert set(frame["b"]) == {"x, y\nz"}

    def test_reads_yes_no_columns_with_gaps(self) -> None:
        frame = read("a,b\n" + "1,true\n2,false\n3,\n" * 10)
        assert str(frame["b"].dtype) == "boolean"
        assert frame["b"].isna().sum() == 10

    def test_type_may_show_late_in_a_long_file(self) -> None:
        frame = read("a,b\n" + "1,2\n" * 400_000 + "1,x\n")
        assert str(frame["b"].dtype) == "str"


class TestRefusedCsv:
    def test_without_header(self) -> None:
        assert "looks like data ('0', '0.0', '2024-01-01')" in refusal(ROWS)
        assert "Add a header line" in refusal(ROWS)

    def test_without_header_where_all_cells_are_words(self) -> None:
        assert "Add a header line" in refusal("red,yes\nblue,no\n" * 20)

    def test_ragged_rows_with_their_line(self) -> None:
        sentence = refusal("a,b,c\n" + "1,2,3\n" * 25 + "1,2\n" + "1,2,3\n" * 25)
        assert sentence.startswith("Line 27 has 2 cells where the header has 3: '1,2'.")

    def test_unreadable_characters(self) -> None:
        assert "Save it as CSV in UTF-8" in refusal(b"a,b\n" + b"1,\x81\x8d\n" * 30)

    def test_one_column(self) -> None:
        assert "one column only" in refusal("a\n" + "1\n" * 30)

    def test_too_few_rows(self) -> None:
        assert refusal("a,b\n" + "1,2\n" * 19) == (
            "'rows.csv' has 19 rows of data; at least 20 are needed. Collect more rows."
        )

    def test_nul_characters(self) -> None:
        assert refusal("a,b\n" + "1,2\n" * 3 + "1,\x00\n" * 30).startswith("Line 5 holds a NUL character")

    def test_doubled_names(self) -> None:
        assert "'a' twice" in refusal("a,b,a\n" + "1,2,3\n" * 30)

    def test_missing_names(self) -> None:
        assert "Column 2 has no name" in refusal("a,,c\n" + "1,2,3\n" * 30)

    def test_names_beyond_reason(self) -> None:
        assert "Use a short plain name" in refusal(f"a,{'b' * 300}\n" + "1,2\n" * 30)

    def test_infinite_numbers(self) -> None:
        assert "'b' holds an infinite number in data row 2" in refusal("a,b\n1,2\n1,inf\n" + "1,2\n" * 30)

    def test_prose(self) -> None:
        prose = "Dear all,\nthe meeting, as ever, is moved.\nPlease, do come.\nYours\n" * 10
        assert "header" in refusal(prose)

    def test_empty_file(self) -> None:
        assert "empty" in refusal(b"")


class TestParquet:
    def test_is_told_by_content_whatever_its_name(self) -> None:
        frame = read(parquet(pd.DataFrame({"a": range(30), "b": ["x", "y", None] * 10})), "rows.csv")
        assert frame["b"].isna().sum() == 10

    def test_categories_become_text_and_the_index_is_left_out(self) -> None:
        frame = pd.DataFrame({"a": range(30), "b": pd.Categorical(["x", "y", "z"] * 10)})
        read_back = read(parquet(frame.set_index(pd.Index(range(100, 130)))))
        assert [str(dtype) for dtype in read_back.dtypes] == ["int64", "str"]

    def test_cut_short_is_refused(self) -> None:
        assert "cut short" in refusal(parquet(pd.DataFrame({"a": range(30), "b": range(30)}))[:-10])

    def test_damaged_is_refused(self) -> None:
        whole = parquet(pd.DataFrame({"a": range(3000), "b": range(3000)}))
        assert "damaged" in refusal(whole[:500] + b"\x00" * 2000 + whole[2500:])

    def test_nested_columns_are_refused_by_name(self) -> None:
        assert "Column 'b' holds" in refusal(parquet(pd.DataFrame({"a": range(30), "b": [[1, 2]] * 30})))


class TestOtherContent:
    def test_pickle_is_named_and_never_opened(self) -> None:
        class Bomb:
            def __reduce__(self) -> tuple[object, tuple[str]]:
                return pytest.fail, ("the pickle was opened",)

        assert "never opened" in refusal(pickle.dumps(Bomb()), "rows.csv")

    def test_an_archive_says_what_to_do(self) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("rows.csv", CSV)
        assert "Unpack it and send what is inside" in refusal(buffer.getvalue(), "rows.csv")

    @pytest.mark.parametrize(
        "start",
        [b"%PDF-1.7\n", b"MZ\x90", b"\x7fELF", b"\x1f\x8b\x08", b"SQLite format 3\x00", b"\x89PNG\r\n"],
    )
    def test_other_files_are_refused_by_what_they_are(self, start: bytes) -> None:
        assert "not a table" in refusal(start + bytes(range(256)) * 40)

    def test_random_bytes_are_refused(self) -> None:
        assert refusal(bytes(range(1, 256)) * 100)


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf", b"\xef\xbb\xbf\n\n", b"\xff\xfe"])
def test_a_byte_order_mark_alone_is_an_empty_file(content: bytes) -> None:
    assert "empty" in refusal(content)


def test_blank_lines_above_the_header_are_skipped() -> None:
    frame = read("\r\n\n" + "a,b\n" + "".join(f"{row},x\n" for row in range(25)))
    assert list(frame.columns) == ["a", "b"]


@pytest.mark.parametrize("mark", ["\u2028", "\x0b", "\x85"])
def test_a_line_separator_inside_a_column_name_is_refused(mark: str) -> None:
    assert "control characters" in refusal(f"a{mark}z,b\n" + "1,x\n" * 25)


def test_a_header_of_thousands_of_long_names_is_read_whole() -> None:
    names = [f"measurement_{number:0150d}" for number in range(2000)]
    rows = "".join(",".join([str(row)] * len(names)) + "\n" for row in range(25))
    frame = read(",".join(names) + "\n" + rows)
    assert list(frame.columns) == names


def test_an_endless_cell_is_named_as_such() -> None:
    assert "quote is opened and not closed" in refusal('a,b\n"1,x\n' + "2,y\n" * 50_000)


def test_an_unknown_time_zone_is_refused() -> None:
    stamps = pa.array([0] * 25, pa.timestamp("us", "Mars/Olympus"))
    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": range(25), "b": stamps}), buffer)
    assert "UTC" in refusal(buffer.getvalue())
