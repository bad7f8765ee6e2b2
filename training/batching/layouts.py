"""What a file of rows is, told by its first bytes: nothing of it is believed that was not seen."""

import codecs
import itertools
from collections.abc import Collection, Iterable
from typing import IO, Any

import msgspec
from pyarrow import ipc

from training.errors import UnreadableFile
from training.sources.content import PARQUET_MAGIC, UTF16_MARKS, refuse_foreign
from training.sources.delimited import SAMPLE_CHARACTERS, header_bytes
from training.sources.headers import check_header, find_delimiter, first_record
from training.sources.jsonlines import DEEPEST, is_json_lines
from training.sources.parquet import open_parquet

CSV, JSON_LINES, PARQUET, ARROW = "csv", "jsonl", "parquet", "arrow"
ARROW_MAGIC = b"ARROW1"
SAMPLE_BYTES = SAMPLE_CHARACTERS
SAMPLE_LINES = 1_000
SHOWN = 5


class Layout(msgspec.Struct, frozen=True):
    """How a file is written: ``start`` is the first row's byte in CSV and JSON Lines."""

    form: str
    names: list[str]
    delimiter: str = ""
    start: int = 0


def layout_of(file: IO[bytes], *, own: bool = False) -> Layout:
    """Return the layout of a seekable file; ``own`` files may be of Arrow, which nobody sends.

    Raises UnreadableFile.
    """
    file.seek(0)
    head = file.read(SAMPLE_BYTES)
    if own and head.startswith(ARROW_MAGIC):
        return Layout(ARROW, list(ipc.open_file(file).schema.names))
    if head.startswith(PARQUET_MAGIC) and _tail(file) == PARQUET_MAGIC:
        file.seek(0)
        return Layout(PARQUET, _plain_names(open_parquet(file).schema_arrow.names))
    refuse_foreign(head[:4096])
    if head[:2] in UTF16_MARKS:
        raise UnreadableFile("The file is written in UTF-16. Save it in UTF-8, or as Parquet.")
    return _json_lines(head) if is_json_lines(head[:4096]) else _delimited(head)


def demand_columns(names: Iterable[str], wanted: Iterable[str], *, what: str) -> None:
    """Raise UnreadableFile where a wanted column is not among the names; ``what`` says who wants it."""
    known = set(names)
    missing = [name for name in wanted if name not in known]
    if missing:
        listed = ", ".join(missing[:SHOWN]) + (f" and {len(missing) - SHOWN} more" if missing[SHOWN:] else "")
        raise UnreadableFile(
            f"The input has no column {listed}, which {what}. Spell the names as in the header line; their "
            "order does not matter.",
            code="missing_columns",
            fields={name: ["This column is missing."] for name in missing[:100]},
        )


def flat(row: dict[str, Any], prefix: str = "", depth: int = 1) -> dict[str, Any]:
    """Return the row with objects in objects as columns of their own: ``address.city``."""
    if not any(type(value) is dict for value in row.values()):
        return {f"{prefix}{name}": value for name, value in row.items()} if prefix else row
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict) and depth < DEEPEST:
            found |= flat(value, f"{prefix}{name}.", depth + 1)
        else:
            found[f"{prefix}{name}"] = value
    return found


def _tail(file: IO[bytes]) -> bytes:
    file.seek(-len(PARQUET_MAGIC), 2)
    return file.read()


def _plain_names(names: Collection[str]) -> list[str]:
    return [name for name in names if not name.startswith("__index_level_")]


def _delimited(head: bytes) -> Layout:
    sample = _text(head)
    delimiter = find_delimiter(sample)
    names = first_record(sample, delimiter)
    check_header(names)
    mark = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    written = "utf-8" if _is_utf8(head) else "cp1252"
    return Layout(CSV, names, delimiter, mark + header_bytes(sample, delimiter, encoding=written))


def _text(head: bytes) -> str:
    encoding = "utf-8-sig" if _is_utf8(head) else "cp1252"
    return codecs.getincrementaldecoder(encoding)("replace").decode(head)


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _json_lines(head: bytes) -> Layout:
    start = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    lines = head[start:].splitlines()
    # The last line of a sample may be cut.
    whole = lines[:-1] if len(head) == SAMPLE_BYTES and len(lines) > 1 else lines
    names: dict[str, None] = {}
    for line in itertools.islice((line for line in whole if line.strip()), SAMPLE_LINES):
        try:
            row = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError):
            continue  # the row itself is told of when it is read
        if isinstance(row, dict):
            names |= dict.fromkeys(flat(row))
    if not names:
        raise UnreadableFile("No line near the beginning is a JSON object. Write one object to a line.")
    check_header(list(names))
    return Layout(JSON_LINES, list(names), start=start)
