"""docs/security.md: each promise names how it is kept and tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
HEADING = "| promise | how it is kept | tested in |"


def promises() -> list[list[str]]:
    """Return the cells of each promise of each table."""
    found = []
    inside = False
    for line in PAGE.splitlines():
        if line == HEADING:
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not set(line) <= set("|-"):
            found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


@pytest.mark.parametrize("cells", promises(), ids=lambda cells: cells[0][:60])
def test_a_promise_says_how_it_is_kept_and_names_its_tests(cells: list[str]) -> None:
    promise, kept, tested = cells
    assert promise
    assert kept
    named = re.findall(r"`([^`]+\.py)`", tested)
    assert named, promise
    assert [path for path in named if not (ROOT / "tests" / path).is_file()] == []


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\(`([a-z_/]+\.py)`", PAGE))))
def test_the_files_where_a_rule_lives_exist(path: str) -> None:
    assert (ROOT / path).is_file() or (ROOT / "mlplatform" / path).is_file()


def test_every_part_makes_promises() -> None:
    parts = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    assert [part.splitlines()[0] for part in parts if HEADING not in part] == []
