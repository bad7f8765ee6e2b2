"""Cells that a spreadsheet must not run."""

import pytest

from mlplatform.csv_cells import safe_cell


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", ' "=1', "'=1", "\ufeff=1", "|calc", "  @x"]
)
def test_what_could_run_gets_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "churn", "a=b", "2026-01-31", "{}", "a-b", "Ann & Bob"])
def test_other_text_stays(text: str) -> None:
    assert safe_cell(text) == text
