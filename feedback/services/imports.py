"""Outcomes from CSV files."""

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from feedback.errors import InvalidOutcomes, UnreadableFeedbackFile
from feedback.services.outcomes import (
    MAX_OUTCOMES,
    ModelCheck,
    OutcomeItem,
    OutcomeResult,
    record_outcomes,
)
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction

MAX_LINES = 1_000_000
MAX_LINE_LENGTH = 10_000
COLUMNS = ("prediction_id", "outcome")
FORM = "It must be a CSV file in UTF-8 with the columns prediction_id and outcome."


def import_outcomes(
    *, file: BinaryIO, by: Actor, partial: bool = False, check: ModelCheck | None = None
) -> OutcomeResult:
    """Record the outcomes of a CSV file with the columns ``prediction_id`` and ``outcome``.

    All or none, unless ``partial``; the ``index`` of an error counts the rows below the header from 0.
    Raises UnreadableFeedbackFile, and whatever ``record_outcomes`` raises.
    """
    items = list(_rows(file))
    if not items:
        raise UnreadableFeedbackFile("The file holds no outcome below its header. Add one row for each.")
    starts = range(0, len(items), MAX_OUTCOMES)
    with tenant_transaction():
        results = [_import_part(items, start, by=by, partial=partial, check=check) for start in starts]
    return OutcomeResult(
        accepted=sum(result.accepted for result in results),
        repeated=sum(result.repeated for result in results),
        corrected=sum(result.corrected for result in results),
        errors=[error for result in results for error in result.errors],
    )


def _import_part(
    items: list[OutcomeItem], start: int, *, by: Actor, partial: bool, check: ModelCheck | None
) -> OutcomeResult:
    part = items[start : start + MAX_OUTCOMES]
    try:
        result = record_outcomes(items=part, source="file", by=by, partial=partial, check=check)
    except InvalidOutcomes as error:
        moved = [{**row, "index": row["index"] + start} for row in error.errors]
        raise InvalidOutcomes(error.detail, errors=moved) from error
    errors = [{**row, "index": row["index"] + start} for row in result.errors]
    return OutcomeResult(result.accepted, result.repeated, result.corrected, errors)


def _rows(file: BinaryIO) -> Iterator[OutcomeItem]:
    reader = csv.DictReader(_lines(file), strict=True)
    try:
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
        if missing:
            raise UnreadableFeedbackFile(
                f"The file's first line does not name {' and '.join(missing)}. {FORM}"
            )
        for row in reader:
            if None in row or None in row.values():
                raise UnreadableFeedbackFile(
                    f"Line {reader.line_num} has too {'many' if None in row else 'few'} values. "
                    "Correct the line, or put quotes around values with commas."
                )
            yield OutcomeItem(row["prediction_id"].strip(), row["outcome"].strip())
    except csv.Error as error:
        raise UnreadableFeedbackFile(f"Line {reader.line_num} cannot be read: {error}. {FORM}") from error


def _lines(file: BinaryIO) -> Iterator[str]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        for _ in range(MAX_LINES):
            line = text.readline(MAX_LINE_LENGTH + 1)
            if len(line) > MAX_LINE_LENGTH or "\0" in line:
                raise UnreadableFeedbackFile(f"The file holds binary data or endless lines. {FORM}")
            if not line:
                return
            yield line
        raise UnreadableFeedbackFile(
            f"The file has more than {MAX_LINES:,} lines. Split it into several files."
        )
    except UnicodeDecodeError as error:
        raise UnreadableFeedbackFile(f"The file is not UTF-8 text. {FORM}") from error
    finally:
        text.detach()  # the file is the caller's to close
