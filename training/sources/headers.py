"""Reading the first line of a CSV file: the delimiter, and whether it holds names at all."""

import csv
import re
from collections import Counter
from collections.abc import Sequence

from training.errors import UnreadableFile

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SAMPLE_RECORDS = 50
MAX_COLUMNS = 10_000
MAX_NAME_LENGTH = 200
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}([ T].*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}")
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})


def find_delimiter(sample: str) -> str:
    """Return the delimiter that splits the sample's lines into the most even table.

    Raises UnreadableFile where none makes two columns.
    """
    scored = {delimiter: _evenness(sample, delimiter) for delimiter in DELIMITERS}
    best = max(scored, key=lambda delimiter: scored[delimiter])
    if scored[best] == (0.0, 0):
        raise UnreadableFile(
            "The file has one column only, so it is no table to learn from. Separate the columns by comma, "
            "semicolon, tab or bar: at least one input and the column to predict."
        )
    return best


def check_header(names: Sequence[str]) -> None:
    """Raise UnreadableFile where the first line is no header, or names are empty, doubled or too long."""
    if len(names) > MAX_COLUMNS:
        raise UnreadableFile(f"The file has {len(names):,} columns; at most {MAX_COLUMNS:,} are read.")
    values = [name for name in names if NUMBER.fullmatch(name) or DATE.fullmatch(name)]
    if values:
        raise UnreadableFile(
            f"The first line looks like data ({_shown(values)}), not like column names. Add a header line. "
            "Where these are names, spell them with a letter, for example year_2020."
        )
    empty = [number for number, name in enumerate(names, 1) if name.lower() in MISSING]
    if empty:
        raise UnreadableFile(f"Column {empty[0]} has no name in the header line. Name it, or remove it.")
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        raise UnreadableFile(f"The header names {_shown(doubled)} twice. Give every column its own name.")
    for name in names:
        if len(name) > MAX_NAME_LENGTH or not name.isprintable():
            raise UnreadableFile(
                f"The column name {name[:40]!r} is longer than {MAX_NAME_LENGTH} characters or holds "
                "control characters. Use a short plain name."
            )


def first_record(sample: str, delimiter: str) -> list[str]:
    """Return the header's cells without surrounding blanks."""
    return [cell.strip() for cell in next(csv.reader(sample.splitlines(keepends=True), delimiter=delimiter))]


def _evenness(sample: str, delimiter: str) -> tuple[float, int]:
    """Return (share of records with the usual number of cells, that number); (0, 0) for one column."""
    records: list[int] = []
    try:
        for record in csv.reader(sample.splitlines(keepends=True), delimiter=delimiter):
            if record:
                records.append(len(record))
            if len(records) > SAMPLE_RECORDS:
                break
    except csv.Error:
        return 0.0, 0
    usual, count = Counter(records).most_common(1)[0]
    return (count / len(records), usual) if usual > 1 else (0.0, 0)


def _shown(names: Sequence[str]) -> str:
    return ", ".join(repr(name[:40]) for name in names[:3])
