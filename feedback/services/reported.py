"""What is reported, and what came of it."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from registry.inference.values import printable
from registry.models import RegisteredModel

ModelCheck = Callable[[RegisteredModel], object]
IMPORTED = "history"  # the source of outcomes that came with past predictions
AGREED = "agreed"  # of those on which two people agreed, or which a third one decided


class Unclear(Exception):
    """An item that cannot be understood: a code and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class OutcomeItem(NamedTuple):
    """One reported outcome: what it is about, and what that turned out to be, a class or a number.

    It names a prediction by its id, or a case by the client's own ``entity_key`` and the name of the
    ``model`` that was asked about it. ``observed_at`` is when it happened: a moment, or its ISO 8601 text;
    without an offset it is UTC. A ``rating`` (1 to 5, up, down) and a free ``comment`` tell what somebody
    thinks of the answer; with one of them the value may be left out (None, or empty text).
    """

    prediction_id: str | uuid.UUID
    value: object
    entity_key: str = ""
    model: str = ""
    observed_at: datetime | str | None = None
    rating: object = None
    comment: object = None

    @property
    def about(self) -> str:
        """How an error names what the item is about; no client's key is repeated in full."""
        return (
            printable(str(self.prediction_id)[:80])
            if self.prediction_id
            else f"entity_key {self.entity_key[:40]!r}"
        )

    @property
    def tells_outcome(self) -> bool:
        """Whether it says what happened; else it only says what somebody thinks."""
        return self.value not in (None, "") or not (self.rating or self.comment)


@dataclass(frozen=True)
class OutcomeResult:
    """What came of a report.

    ``accepted`` counts what was stored, ``corrected`` those among them that replaced another value,
    ``outdated`` those that were observed before what counts already, and are kept as history; ``repeated``
    those that said what was known; ``rated`` the ratings and comments that were stored; ``quarantined`` those
    of the accepted that were set aside as suspicious. ``waiting`` holds
    index and prediction_id of each item that is kept until its prediction is known, ``errors`` index,
    prediction_id, code and message of each that was left out; the latter is empty unless a partial recording
    was asked for.
    """

    accepted: int = 0
    repeated: int = 0
    corrected: int = 0
    outdated: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)
    rated: int = 0
    waiting: list[dict[str, Any]] = field(default_factory=list)
    quarantined: int = 0

    @property
    def refused(self) -> int:
        """How many items were left out."""
        return len(self.errors)

    @property
    def held(self) -> int:
        """How many items wait for their prediction."""
        return len(self.waiting)

    def plus(self, other: "OutcomeResult", *, moved: int = 0) -> "OutcomeResult":
        """Return both together; ``moved`` is how many items came before the other's first."""
        return OutcomeResult(
            self.accepted + other.accepted,
            self.repeated + other.repeated,
            self.corrected + other.corrected,
            self.outdated + other.outdated,
            [*self.errors, *_moved(other.errors, moved)],
            self.rated + other.rated,
            [*self.waiting, *_moved(other.waiting, moved)],
            self.quarantined + other.quarantined,
        )


class Asked(NamedTuple):
    """The prediction that an outcome is about."""

    id: uuid.UUID
    version_id: int
    created_at: datetime


class Origin(NamedTuple):
    """Where reports come from."""

    received_at: datetime
    received_from: str
    source: str


class Report(NamedTuple):
    """One understood outcome; a label of a classification, a value of a regression."""

    asked: Asked
    model_id: int
    label: str
    value: float | None
    observed_at: datetime | None
    origin: Origin
    place: int = 0

    @property
    def moment(self) -> datetime:
        """The time by which the newest outcome counts."""
        return self.observed_at or self.origin.received_at


class Opinion(NamedTuple):
    """One understood rating, comment, or both."""

    asked: Asked
    model_id: int
    rating: str
    comment: str
    origin: Origin
    place: int


def outcome_error(index: int, about: str, code: str, message: str) -> dict[str, Any]:
    """Describe one item that is wrong; ``index`` counts from 0."""
    return {"index": index, "prediction_id": about, "code": code, "message": message}


def _moved(rows: Iterable[dict[str, Any]], by: int) -> Iterable[dict[str, Any]]:
    return ({**row, "index": row["index"] + by} for row in rows)
