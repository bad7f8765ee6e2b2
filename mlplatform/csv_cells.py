"""Cells of CSV files that a spreadsheet shows as they are, and never runs as a formula."""

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "|")
# Spreadsheets look past these before they decide.
LOOKED_PAST = " \"'\ufeff\u200b\u00a0"


def safe_cell(text: str) -> str:
    """Return the text with an apostrophe before it where a spreadsheet could take it for a formula."""
    dangerous = text.startswith(DANGEROUS) or text.lstrip(LOOKED_PAST).startswith(DANGEROUS)
    return f"'{text}" if dangerous else text
