"""Turns one sheet of a workbook into CSV. A program of its own, started by ``workbook.py``: no Django here.

It limits its own memory, time and output before it opens the file, so that a hostile workbook costs nobody
else anything. Exit status 2 comes with a sentence for the reader; any other but 0 means that a limit was met.
"""

import csv
import datetime as dt
import resource
import sys
from collections.abc import Iterator
from typing import Any

MEMORY_BYTES = 3 << 30


def main(source: str, target: str, sheet: str, most_bytes: int, seconds: int, most_columns: int) -> None:
    """Write the sheet's rows to ``target``; ``sheet`` may be empty."""
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, most_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    import python_calamine  # after the limits

    try:
        # Given as a file: of a path the library believes the ending.
        with open(source, "rb") as file, python_calamine.CalamineWorkbook.from_filelike(file) as book:  # noqa: PTH123
            _write(_rows(_chosen(book, sheet)), target, most_columns)
    except python_calamine.CalamineError as error:
        _refuse(
            f"The workbook cannot be read: {error}. Open it in Excel, take off any password, and save "
            "it again."
        )


def _chosen(book: Any, sheet: str) -> Any:
    names = book.sheet_names
    if sheet and sheet not in names:
        shown = ", ".join(map(repr, names[:20]))
        _refuse(f"There is no sheet {sheet!r} in the workbook. Its sheets are: {shown}.")
    if not names:
        _refuse("The workbook has no sheet. Save the table in one.")
    return book.get_sheet_by_name(sheet or names[0])


def _rows(sheet: Any) -> Iterator[list[str]]:
    """Yield the rows from the first that is not empty on, without those that hold nothing."""
    for row in sheet.iter_rows():
        cells = [_text(value) for value in row]
        if any(cells):
            yield cells


def _write(rows: Iterator[list[str]], target: str, most_columns: int) -> None:
    width = 0
    with open(target, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 - nothing more is imported
        writer = csv.writer(file)
        for number, cells in enumerate(rows):
            if not number:
                width = max(place for place, cell in enumerate(cells, 1) if cell)
                if width > most_columns:
                    _refuse(f"The sheet has {width:,} columns; at most {most_columns:,} are read.")
            elif any(cells[width:]):
                place = next(place for place, cell in enumerate(cells, 1) if cell and place > width)
                _refuse(
                    f"Column {place} of the sheet has values and no name in its first row. The table "
                    "should start with one row of names; leave notes and totals out."
                )
            writer.writerow(cells[:width])


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return repr(value.total_seconds())
    return str(value).replace("\x00", "")


def _refuse(sentence: str) -> None:
    print(sentence)  # noqa: T201 - read by the process that started this one
    sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], *map(int, sys.argv[4:]))
