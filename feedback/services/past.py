"""Bringing in past predictions with their outcomes, so that a new model starts with a baseline.

They are marked as imported, belong to the hour in which they were made, and are no traffic that was served.
The same line comes in once, however often it is sent.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import IO, Any

from django.db import transaction
from django.utils import timezone

from feedback.errors import InvalidPast, UnreadableFeedbackFile
from feedback.models import HistoryImport
from feedback.services.past_files import PastForm, past_form_of, read_past
from feedback.services.past_rows import Past, Reader
from feedback.services.reported import IMPORTED, Origin, OutcomeItem, Unclear
from feedback.services.verdicts import understand
from feedback.services.writing import write_reports
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.bulk_rows import insert_rows
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.usage import take_row_room
from registry.models import Prediction, RegisteredModel
from registry.services.pseudonyms import entity_pseudonyms

MAX_BYTES = 200_000_000
MAX_LINES = 200_000
PART = 5_000
MOST_ERRORS = 1_000


@dataclass
class PastResult:
    """What came of a file of past predictions.

    ``predictions`` and ``outcomes`` were added, ``repeated`` lines were known already; ``refused`` lines were
    left out, the first of them in ``errors`` by line, code and message. ``first_at`` and ``last_at`` say from
    when to when the lines that were understood are; ``known_file`` that the very same file came in before.
    """

    lines: int = 0
    predictions: int = 0
    outcomes: int = 0
    repeated: int = 0
    refused: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)
    first_at: datetime | None = None
    last_at: datetime | None = None
    known_file: bool = False

    def refuse(self, line: int, code: str, message: str) -> None:
        """Note a line that is left out."""
        self.refused += 1
        if len(self.errors) < MOST_ERRORS:
            self.errors.append({"line": line, "code": code, "message": message})

    def see(self, moment: datetime) -> None:
        """Note when a prediction was made."""
        self.first_at = min(self.first_at or moment, moment)
        self.last_at = max(self.last_at or moment, moment)


def import_past(
    *,
    model: RegisteredModel,
    file: IO[bytes],
    name: str,
    by: Actor,
    form: PastForm | None = None,
    version: int | None = None,
    columns: Mapping[str, str] | None = None,
    partial: bool = False,
    preview: bool = False,
    most: int = MAX_LINES,
) -> PastResult:
    """Import the file's lines, all or none; with ``partial`` the good ones, and the result tells the others.

    Each line holds the model's features and ``predicted_at`` and ``prediction``; where they are known
    ``probability`` (or ``p_<class>`` for each class), ``score``, ``outcome``, ``observed_at``, ``entity_key``
    and ``version``. ``columns`` says which columns of the file these are, where they have other names.
    ``version`` is that of lines that name none, else the champion. With ``preview`` nothing is stored.

    Raises InvalidPast with the bad lines, InvalidPastColumns, UnreadableFeedbackFile, UnreadableRows,
    InvalidRows, NoChampion, VersionNotFound, VersionNotReady and NoRoom.
    """
    body = file.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise UnreadableFeedbackFile(f"The file has more than {MAX_BYTES:,} bytes. Split it into several.")
    now, content_hash = timezone.now(), hashlib.sha256(body).hexdigest()
    with tenant_transaction():
        reader = Reader(model=model, version=version, columns=columns or {}, now=now)
        known = HistoryImport.objects.filter(model=model, content_hash=content_hash, refused=0).first()
    if known is not None:
        first_at, last_at = known.first_at, known.last_at
        return PastResult(
            known.lines, repeated=known.lines, first_at=first_at, last_at=last_at, known_file=True
        )
    lines = read_past(body, form or past_form_of(name, body), columns=reader.usual.columns, most=most)
    result, origin = PastResult(), Origin(now, str(by)[:200], IMPORTED)
    understood = _understood(lines, reader, result)
    one_by_one = partial and not preview
    parts = _parts(understood) if one_by_one else iter(list(_parts(understood)))
    if result.refused and not partial and not preview:
        told = f"{result.refused:,} of {result.lines:,} lines cannot be imported, so none was."
        raise InvalidPast(f"{told} Correct them, or ask for a partial import.", errors=result.errors)
    with nullcontext() if one_by_one else tenant_transaction():
        for part in parts:
            with tenant_transaction():
                _store(part, reader, origin, result, by=by)
        with tenant_transaction():
            _note(result, model=model, name=name, content_hash=content_hash, origin=origin, by=by)
        if preview:
            transaction.set_rollback(True)
    return result


def _understood(lines: Iterator[Any], reader: Reader, result: PastResult) -> Iterator[Past]:
    for line in lines:
        result.lines += 1
        try:
            past = reader.read(line)
        except Unclear as error:
            result.refuse(line.number, error.code, str(error))
            continue
        result.see(past.row["created_at"])
        yield past
    if not result.lines:
        raise UnreadableFeedbackFile("The file holds no prediction. Add a line for each.")


def _parts(rows: Iterator[Past]) -> Iterator[list[Past]]:
    while part := list(islice(rows, PART)):
        yield part


def _store(part: Sequence[Past], reader: Reader, origin: Origin, result: PastResult, *, by: Actor) -> None:
    """Store what is new of the lines; call it in the tenant's transaction."""
    entities = entity_pseudonyms([past.entity for past in part])
    named = {reader.name(past, entity): (past, entity) for past, entity in zip(part, entities, strict=True)}
    stored = Prediction.objects.filter(pk__among=named).values_list("pk", flat=True)
    new = set(named) - set(stored)
    take_row_room(len(new))
    asked_by = f"import of {origin.received_from}"[:200]
    insert_rows(
        Prediction,
        [
            {**past.row, "id": key, "entity_key": entity, "asked_by": asked_by}
            for key, (past, entity) in named.items()
            if key in new
        ],
        known_stay=True,
    )
    if new:  # in this transaction: of a partial import that is broken off, this part stays
        record(by=by, action="predictions.added", target=reader.usual.version.model, count=len(new))
    result.predictions += len(new)
    items = [
        OutcomeItem(key, past.outcome, observed_at=past.observed_at)
        for key, (past, _) in named.items()
        if past.outcome is not None
    ]
    told = write_reports(understand(items, [origin] * len(items)), by=by, source=IMPORTED)
    result.outcomes += told.accepted
    result.repeated += len(part) - len(new)


def _note(
    result: PastResult, *, model: RegisteredModel, name: str, content_hash: str, origin: Origin, by: Actor
) -> None:
    """Leave a row and an audit entry about the file."""
    counts = {
        one: getattr(result, one) for one in ("lines", "predictions", "outcomes", "repeated", "refused")
    }
    HistoryImport.objects.create(
        model=model,
        name=name[:200],
        content_hash=content_hash,
        first_at=result.first_at,
        last_at=result.last_at,
        imported_at=origin.received_at,
        imported_by=origin.received_from,
        **counts,
    )
    record(by=by, action="predictions.imported", target=model, content_hash=content_hash, **counts)
