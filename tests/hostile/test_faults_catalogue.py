"""docs/faults.md: every line has tests that are there, or says why there is none."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
LINES = 31
NAMED = re.compile(r"`([\w/]+\.py)(?:::(test_\w+))?`")


def rows() -> dict[int, list[str]]:
    """Return the cells of each numbered line."""
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines()]
    return {int(cells[0]): cells for cells in found if cells[0].isdecimal()}


TESTED = {number: cells for number, cells in rows().items() if len(cells) == 4}


def test_no_line_is_missing() -> None:
    assert sorted(rows()) == list(range(1, LINES + 1))


@pytest.mark.parametrize("number", TESTED)
def test_each_test_that_a_line_names_is_there(number: int) -> None:
    named = NAMED.findall(TESTED[number][3])
    assert named
    for path, test in named:
        code = (ROOT / "tests" / path).read_text(encoding="utf-8")
        assert re.search(rf"def {test or 'test_'}", code), (path, test)


def test_every_numbered_test_stands_in_its_line() -> None:
    code = (ROOT / "tests" / "training" / "test_faults.py").read_text(encoding="utf-8")
    tests = re.findall(r"def (test_fault_(\d\d)_\w+)", code)
    assert len(tests) > 5
    for test, number in tests:
        assert "training/test_faults.py" in TESTED[int(number)][3], test
