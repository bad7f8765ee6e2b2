"""Long CSV files: what was read to learn the columns' types is kept where it will do."""

import io
from typing import Any

import pandas as pd
import pytest

from training.errors import UnreadableFile
from training.sources import delimited
from training.sources.files import open_table, read_table

ROWS = 400


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have files cut into small parts; the list gets the place of each part that is parsed."""
    monkeypatch.setattr("training.sources.records.SLICE_BYTES", 1_000)
    asked: list[int] = []
    kept = delimited._parsed

    def noted(layout: Any, data: bytes, start: int, kinds: Any) -> Any:
        asked.append(start)
        return kept(layout, data, start, kinds)

    monkeypatch.setattr(delimited, "_parsed", noted)
    return asked


def csv(**late: str) -> str:
    """Rows of whole numbers, numbers and text; ``late`` stands in the last row."""
    rows = [{"n": str(n), "x": f"{n / 4}", "t": f"text {n}", "c": f"{n},5"} for n in range(ROWS)]
    rows[-1] |= late
    return "n;x;t;c\n" + "".join(";".join(row.values()) + "\n" for row in rows)


def read(text: str) -> pd.DataFrame:
    return read_table(io.BytesIO(text.encode()))


@pytest.mark.parametrize(
    "late", [{}, {"n": ""}, {"n": "0.5"}, {"n": "007a"}, {"x": "n.k."}, {"c": "1.234,5"}, {"c": "none of it"}]
)
@pytest.mark.parametrize("most", [1, 4, 1_000])
def test_however_much_is_kept_the_table_is_the_same(
    parsed: list[int], monkeypatch: pytest.MonkeyPatch, late: dict[str, str], most: int
) -> None:
    monkeypatch.setattr(delimited, "MOST_KEPT", most)
    text = csv(**late)
    in_parts = read(text)
    assert len(set(parsed)) > 5
    monkeypatch.setattr("training.sources.records.SLICE_BYTES", 1 << 25)
    pd.testing.assert_frame_equal(in_parts, read(text), check_column_type=False)


def test_what_is_written_as_text_keeps_its_spelling_where_the_last_part_shows_it(parsed: list[int]) -> None:
    text = csv(n="007a").replace("\n5;", "\n005;")
    assert read(text)["n"].tolist()[5] == "005"


@pytest.mark.parametrize(("most", "again"), [(1_000, 0), (3, -3), (1, -1)])
def test_a_part_is_parsed_once_where_it_is_kept_and_has_its_types(
    parsed: list[int], monkeypatch: pytest.MonkeyPatch, most: int, again: int
) -> None:
    monkeypatch.setattr(delimited, "MOST_KEPT", most)
    read(csv())
    parts = len(set(parsed))
    assert len(parsed) == parts + (parts + again if again else 0)


def test_only_parts_whose_types_change_are_parsed_again(
    parsed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "MOST_KEPT", 1_000)
    read(csv(n="none"))
    parts = sorted(set(parsed))
    assert parsed == [*parts, *parts[:-1]]


def test_what_was_handed_out_is_kept_no_longer(parsed: list[int]) -> None:
    with open_table(io.BytesIO(csv().encode())) as parts:
        assert sum(len(part) for part in parts) == ROWS
        assert next(parts, None) is None


@pytest.mark.parametrize("row", [0, 5, 150, ROWS - 1])
def test_a_bad_line_is_named_by_its_number_in_the_file(parsed: list[int], row: int) -> None:
    lines = csv().splitlines(keepends=True)
    lines[row + 1] = "1;2\n"
    with pytest.raises(UnreadableFile, match=f"^Line {row + 2} has 2 cells"):
        read("".join(lines))
