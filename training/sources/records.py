"""Cutting a text table into parts that end where a record ends, so that each can be read by itself."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from training.errors import UnreadableFile

SLICE_BYTES = 1 << 25
LONGEST_RECORD = 1 << 20  # what the parser takes
QUOTE = ord('"')


def slices(path: Path, *, start: int, delimiter: str = "") -> Iterator[bytes]:
    """Yield the UTF-8 file from byte ``start`` on in parts of about 32 MB, each of whole records.

    Line breaks inside quotes end no record; without a ``delimiter`` nothing is quoted, as in JSON Lines.
    Raises UnreadableFile for a record of megabytes.
    """
    with path.open("rb") as file:
        yield from slices_of(file, start=start, delimiter=delimiter, size=SLICE_BYTES)


def slices_of(
    file: IO[bytes], *, start: int, size: int, delimiter: str = "", stop: int | None = None
) -> Iterator[bytes]:
    """Do the same with an open file, up to byte ``stop`` where one is given, in parts of ``size`` bytes.

    Between a start and a stop no record is too long: it was measured when the stop was found.
    """
    longest = max(LONGEST_RECORD, size if stop is None else stop - start)
    held = b""
    file.seek(start)
    while block := file.read(size if stop is None else min(size, stop - file.tell())):
        data = held + block
        end = len(data) if file.tell() == stop else last_end(data, delimiter)
        if len(data) - end > longest:
            raise UnreadableFile(
                f"A line near byte {start + end:,} is longer than {LONGEST_RECORD:,} characters. "
                "Perhaps a quote is opened and not closed: look for a lone quotation mark, or "
                "shorten the line."
            )
        if end:
            yield data[:end]
        start, held = start + end, data[end:]
    if held.strip():
        yield held


def last_end(data: bytes, delimiter: str) -> int:
    """Return where the last whole record of ``data`` ends, 0 where none does."""
    if not delimiter or b'"' not in data:
        return _break(data, 0, len(data)) + 1
    quotes = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == QUOTE)
    if not _in_order(data, quotes, delimiter):
        return _slow_end(data, delimiter)
    stop = len(data)
    while (found := _break(data, 0, stop)) >= 0:
        if np.searchsorted(quotes, found) % 2 == 0:  # as many opened as closed
            return found + 1
        stop = int(quotes[np.searchsorted(quotes, found) - 1])  # inside quotes: look before these
    return 0


def _break(data: bytes, start: int, stop: int) -> int:
    found = data.rfind(b"\n", start, stop)
    # Files whose lines end with carriage returns alone; one at the very end may be half of a pair.
    return found if found >= 0 else data.rfind(b"\r", start, min(stop, len(data) - 1))


def _in_order(data: bytes, quotes: "np.typing.NDArray[np.intp]", delimiter: str) -> bool:
    """Tell whether each quote opens a cell, closes one, or is one of a doubled pair."""
    around = np.frombuffer(b"\n" + data + b"\n", dtype=np.uint8)
    edges = np.zeros(256, dtype=bool)
    edges[[QUOTE, ord(delimiter), ord("\n"), ord("\r")]] = True
    opens, closes = quotes[::2], quotes[1::2]
    return bool(edges[around[opens]].all() and edges[around[closes + 2]].all())


def _slow_end(data: bytes, delimiter: str) -> int:
    """Do the same where quotes stand inside plain cells, which open nothing there."""
    opening = re.compile(rb"(?:\A|[\r\n" + re.escape(delimiter.encode()) + rb'])"[^"]*(?:""[^"]*)*("|\Z)')
    end, sure = -1, 0
    for quoted in opening.finditer(data):
        end = max(end, _break(data, sure, quoted.start() + 1))
        if not quoted.group(1):  # goes on in the next part
            return end + 1
        sure = quoted.end()
    return max(end, _break(data, sure, len(data))) + 1
