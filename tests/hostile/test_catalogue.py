"""docs/hostile-inputs.md: every line has tests that name its number, or says why there is none."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "hostile-inputs.md").read_text(encoding="utf-8")
LINES = 46


def rows() -> dict[int, list[str]]:
    """Return the cells of each numbered line."""
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines()]
    return {int(cells[0]): cells for cells in found if cells[0].isdecimal()}


TESTED = {number: cells for number, cells in rows().items() if len(cells) == 4}


def test_no_line_is_missing() -> None:
    assert sorted(rows()) == list(range(1, LINES + 1))


@pytest.mark.parametrize("number", TESTED)
def test_each_file_has_a_test_that_names_the_number(number: int) -> None:
    files = re.findall(r"`([^`]+\.py)`", TESTED[number][3])
    assert files
    for path in files:
        code = (ROOT / "tests" / path).read_text(encoding="utf-8")
        assert re.search(rf"def test_(?:\w+_)?{number:02d}(?:_\w+)?\(", code), path


def test_no_test_names_a_line_that_is_not_there() -> None:
    for path in (ROOT / "tests" / "hostile").glob("test_*.py"):
        code = path.read_text(encoding="utf-8")
        for number in re.findall(r"def test_(\d\d)_", code):
            assert f"hostile/{path.name}" in TESTED[int(number)][3], (path.name, number)
