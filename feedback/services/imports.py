"""Outcomes in bulk: files, and the bodies of bulk calls."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial as bound
from itertools import islice
from typing import IO

from django.db import transaction

from feedback.errors import InvalidOutcomes, UnreadableFeedbackFile
from feedback.services.outcome_files import LineForm, read_items
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
PART = 10_000  # where the good ones are recorded, a transaction takes so many: others write in between


def import_outcomes(
    *,
    file: IO[bytes],
    by: Actor,
    form: LineForm = LineForm.CSV,
    model: str = "",
    partial: bool = False,
    check: ModelCheck | None = None,
    source: str = "file",
    most: int | None = None,
    preview: bool = False,
    hold_unknown: bool = True,
) -> OutcomeResult:
    """Record the outcomes of the file's lines, read as they come; ``model`` is for cases without one.

    All or none, unless ``partial``; an unknown prediction is waited for, unless ``hold_unknown`` is off; the
    ``index`` of an error counts the outcomes from 0. With ``preview`` nothing is recorded, and the result
    says what would have come of it, errors included. Raises
    UnreadableFeedbackFile, and whatever ``record_outcomes`` raises.
    """
    items = read_items(file, form, model=model, most=most or MAX_LINES)
    partial, one_by_one = partial or preview, partial and not preview
    parts = _parts(items, PART if one_by_one else MAX_OUTCOMES)
    if not one_by_one:
        parts = iter(list(parts))  # nobody waits for a transaction that waits for a client's lines
    record = bound(
        record_outcomes, source=source, by=by, partial=partial, check=check, hold_unknown=hold_unknown
    )
    total, count = OutcomeResult(), 0
    with nullcontext() if one_by_one else tenant_transaction():
        for part in parts:
            total = total.plus(_part(part, count, record), moved=count)
            count += len(part)
        if preview:
            transaction.set_rollback(True)
    return total


def _parts(items: Iterator[OutcomeItem], size: int) -> Iterator[list[OutcomeItem]]:
    part = list(islice(items, size))
    if not part:
        raise UnreadableFeedbackFile("The file holds no outcome below its header. Add one row for each.")
    while part:
        yield part
        part = list(islice(items, size))


def _part(part: list[OutcomeItem], start: int, record: Callable[..., OutcomeResult]) -> OutcomeResult:
    try:
        return record(items=part)
    except InvalidOutcomes as error:
        moved = [{**row, "index": row["index"] + start} for row in error.errors]
        raise InvalidOutcomes(error.detail, errors=moved) from error
