"""Reading the first line of a CSV file: the delimiter, and whether it holds names at all."""

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from django.conf import settings

from training.errors import UnreadableFile

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
# Tried only where none of those makes a table, and taken only where every line agrees.
RARE_DELIMITERS = {":": "colon", "^": "caret", "~": "tilde", "\x1f": "unit separator", " ": "blank"}
SAMPLE_RECORDS = 50
MAX_NAME_LENGTH = 200
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}([ T].*)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}")
ONE_COLUMN = (0.0, 0)
ENDLESS = (0.0, -1)
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})


def find_delimiter(sample: str) -> str:
    """Return the delimiter that splits the sample's lines into the most even table.

    Raises UnreadableFile where none makes two columns.
    """
    if not sample.strip():
        raise UnreadableFile("The file is empty. Send a CSV file with a header line, or a Parquet file.")
    scored = {delimiter: _evenness(sample, delimiter) for delimiter in DELIMITERS}
    best = max(scored, key=lambda delimiter: scored[delimiter])
    if scored[best] == ENDLESS:
        raise UnreadableFile(
            f"A cell near the beginning is longer than {csv.field_size_limit():,} characters. Perhaps a "
            "quote is opened and not closed: look for a lone quotation mark, or shorten the cell."
        )
    if scored[best] == ONE_COLUMN:
        for delimiter in RARE_DELIMITERS:
            if _evenness(sample, delimiter)[0] == 1.0:
                return delimiter
        raise UnreadableFile(
            "The file has one column only, so it is no table to learn from. Separate the columns by comma, "
            "semicolon, tab or bar: at least one input and the column to predict."
        )
    return best


def shown_delimiter(delimiter: str) -> str:
    """Return the delimiter's name."""
    return {**DELIMITERS, **RARE_DELIMITERS}[delimiter]


def check_header(names: Sequence[str]) -> None:
    """Raise UnreadableFile where the first line is no header, or names are empty, doubled or too long."""
    if len(names) > settings.MAX_COLUMNS:
        raise UnreadableFile(
            f"The file has {len(names):,} columns; at most {settings.MAX_COLUMNS:,} are read. Leave out "
            "those that say nothing about the target, or ask the platform's administrator (ML_MAX_COLUMNS)."
        )
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
    """Return the cells of the first line that is not empty, without surrounding blanks."""
    return [cell.strip() for cell in next(_records(sample, delimiter))]


def _evenness(sample: str, delimiter: str) -> tuple[float, int]:
    """Return (share of records with the usual number of cells, that number), ONE_COLUMN or ENDLESS."""
    records = itertools.islice(_records(sample, delimiter), SAMPLE_RECORDS + 1)
    try:
        lengths = [len(record) for record in records]
    except csv.Error:  # a cell beyond the reader's limit
        return ENDLESS
    usual, count = Counter(lengths).most_common(1)[0]
    return (count / len(lengths), usual) if usual > 1 else ONE_COLUMN


def _records(sample: str, delimiter: str) -> Iterator[list[str]]:
    # Only line feeds and carriage returns end a line, as in the parser that reads the whole file.
    lines = io.StringIO(sample, newline="")
    return (record for record in csv.reader(lines, delimiter=delimiter) if record)


def _shown(names: Sequence[str]) -> str:
    return ", ".join(repr(name[:40]) for name in names[:3])
