"""Telling what a file is by its bytes: names and media types are claims, not facts."""

import codecs
import re
from pathlib import Path

from training.errors import UnreadableFile

CHUNK_BYTES = 1 << 20
PARQUET_MAGIC = b"PAR1"
UTF16_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# The first bytes of what people upload by mistake, or on purpose.
FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive", "Unpack it and send what is inside; of Excel files, .xlsx is read."),
    (
        b"\xd0\xcf\x11\xe0",
        "an old or protected Office file",
        "Save it as .xlsx without a password, or as CSV.",
    ),
    (b"\x1f\x8b", "gzip-compressed", "Unpack it and send what is inside."),
    (b"BZh", "bzip2-compressed", "Unpack it and send what is inside."),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed", "Unpack it and send what is inside."),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it and send what is inside."),
    (b"%PDF", "a PDF document", "Export the table it shows as CSV."),
    (b"MZ", "a Windows program", "Send a table: CSV, Parquet, JSON Lines or Excel."),
    (b"\x7fELF", "a program", "Send a table: CSV, Parquet, JSON Lines or Excel."),
    (b"SQLite format 3\x00", "an SQLite database", "Export the table as CSV."),
    (b"\x89PNG", "a picture", "Send a table: CSV, Parquet, JSON Lines or Excel."),
    (b"\xff\xd8\xff", "a picture", "Send a table: CSV, Parquet, JSON Lines or Excel."),
    (b"\x89HDF", "an HDF5 file", "Export the table as Parquet or CSV."),
    (b"ARROW1", "an Arrow file", "Save it as Parquet or CSV."),
)
PICKLE = re.compile(rb"\x80[\x02-\x05]")


def is_parquet(path: Path) -> bool:
    """Tell whether the file carries Parquet's mark at both ends."""
    with path.open("rb") as file:
        if file.read(4) != PARQUET_MAGIC:
            return False
        file.seek(-4, 2)
        return file.read(4) == PARQUET_MAGIC


def refuse_foreign(head: bytes) -> None:
    """Raise UnreadableFile for what is known to be no table; pickles are named and never opened."""
    if not head.strip():
        raise UnreadableFile(
            "The file is empty. Send a CSV file with a header line, or Parquet, JSON Lines or Excel."
        )
    if PICKLE.match(head):
        raise UnreadableFile("The file is a Python pickle, which is never opened. Save it as Parquet or CSV.")
    if head.startswith(PARQUET_MAGIC):
        raise UnreadableFile("The file starts like Parquet but breaks off. It is cut short: send it again.")
    for mark, kind, advice in FOREIGN:
        if head.startswith(mark):
            raise UnreadableFile(f"The file is {kind}, not a table. {advice}")


def text_encoding(path: Path) -> str:
    """Return the encoding of a text file, after reading all of it once in bounded memory.

    UTF-8 (with or without byte-order mark), UTF-16 with its mark, else Windows-1252, the usual
    superset of Latin-1, where every byte has a meaning there. Raises UnreadableFile.
    """
    with path.open("rb") as file:
        head = file.read(4)
    marked = UTF16_MARKS.get(head[:2])
    if marked is not None:
        _check_decodes(path, marked)
        return marked
    if _decodes(path, "utf-8"):
        return "utf-8"
    _check_decodes(path, "cp1252")
    return "cp1252"


def _check_decodes(path: Path, encoding: str) -> None:
    if not _decodes(path, encoding):
        raise UnreadableFile(
            "The file's characters cannot be read: it is neither UTF-8, UTF-16 nor Latin-1 text. "
            "Save it as CSV in UTF-8."
        )


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError:
                return False
            if "\x00" in text:
                line += text[: text.index("\x00")].count("\n")
                raise UnreadableFile(
                    f"Line {line} holds a NUL character, so this is no text file or a damaged one. "
                    "Export the table again as CSV (UTF-8) or Parquet."
                )
            line += text.count("\n")
    return _ends_well(decoder)


def _ends_well(decoder: codecs.IncrementalDecoder) -> bool:
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
