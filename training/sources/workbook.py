"""Reading Excel workbooks (.xlsx, .xlsm) that anybody may have made.

A workbook is an archive of XML, a few kilobytes of which can spell more cells than any machine holds. So it
is turned into CSV by a process of its own (``sheet_to_csv.py``), which may take so much memory, processor
time and disk and no more, and the CSV is read like any other. A formula counts as the value that was stored
with it.
"""

import subprocess
import sys
import tempfile
import zipfile
from contextlib import ExitStack
from pathlib import Path

from django.conf import settings

from training.errors import UnreadableFile

CONVERTER = Path(__file__).with_name("sheet_to_csv.py")
SECONDS = 120
MOST_MEMBERS = 10_000
MOST_UNPACKED = 200  # times its own size, from where it would hurt
HARMLESS_BYTES = 100_000_000
WORKBOOK = "xl/workbook.xml"


def is_workbook(path: Path) -> bool:
    """Tell whether the file is an archive with a workbook in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return WORKBOOK in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def workbook_as_csv(path: Path, *, sheet: str, kept: ExitStack) -> Path:
    """Return the sheet as a CSV file, which is there until ``kept`` closes; no name means the first sheet.

    Raises UnreadableFile where the workbook is damaged, protected, without such a sheet, or too large.
    """
    _refuse_bombs(path)
    copy = tempfile.NamedTemporaryFile(prefix="sheet-", suffix=".csv")  # noqa: SIM115
    target = Path(kept.enter_context(copy).name)
    limits = [str(settings.MAX_TABLE_BYTES), str(SECONDS), str(settings.MAX_COLUMNS)]
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(CONVERTER), str(path), str(target), sheet, *limits],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=2 * SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _too_large() from error
    if done.returncode == 0:
        return target
    if done.returncode == 2:  # a sentence for the reader
        raise UnreadableFile(done.stdout.strip()[:1000])
    raise _too_large()


def _refuse_bombs(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    ratio = unpacked / max(path.stat().st_size, 1)
    doubled = len({member.filename for member in members}) < len(members)
    if len(members) > MOST_MEMBERS or doubled or unpacked > settings.MAX_TABLE_BYTES:
        raise _too_large()
    if unpacked > HARMLESS_BYTES and ratio > MOST_UNPACKED:
        raise _too_large()


def _too_large() -> UnreadableFile:
    return UnreadableFile(
        "The workbook unpacks to more than can be read. Save the sheet as CSV (UTF-8), which may be "
        "larger, or copy the table alone into a new workbook."
    )
