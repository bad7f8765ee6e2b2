"""What is reported, and what came of it."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from registry.inference.values import printable
from registry.models import RegisteredModel

ModelCheck = Callable[[RegisteredModel], object]


@dataclass(frozen=True, slots=True)
class OutcomeItem:
    """One reported outcome: what it is about, and what that turned out to be, a class or a number.

    It names a prediction by its id, or a case by the client's own ``entity_key`` and the name of the
    ``model`` that was asked about it. ``observed_at`` is when it happened: a moment, or its ISO 8601 text;
    without an offset it is UTC.
    """

    prediction_id: str | uuid.UUID
    value: object
    entity_key: str = ""
    model: str = ""
    observed_at: datetime | str | None = None

    @property
    def about(self) -> str:
        """How an error names what the item is about; no client's key is repeated in full."""
        return (
            printable(str(self.prediction_id)[:80])
            if self.prediction_id
            else f"entity_key {self.entity_key[:40]!r}"
        )


@dataclass(frozen=True)
class OutcomeResult:
    """What came of a report.

    ``accepted`` counts what was stored, ``corrected`` those among them that replaced another value,
    ``outdated`` those that were observed before what counts already, and are kept as history; ``repeated``
    those that said what was known. ``errors`` holds index, prediction_id, code and message of each item that
    was left out; it is empty unless a partial recording was asked for.
    """

    accepted: int = 0
    repeated: int = 0
    corrected: int = 0
    outdated: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """How many items were left out."""
        return len(self.errors)

    def plus(self, other: "OutcomeResult", *, moved: int = 0) -> "OutcomeResult":
        """Return both together; ``moved`` is how many items came before the other's first."""
        return OutcomeResult(
            self.accepted + other.accepted,
            self.repeated + other.repeated,
            self.corrected + other.corrected,
            self.outdated + other.outdated,
            [*self.errors, *({**row, "index": row["index"] + moved} for row in other.errors)],
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

    @property
    def moment(self) -> datetime:
        """The time by which the newest outcome counts."""
        return self.observed_at or self.origin.received_at


def outcome_error(index: int, about: str, code: str, message: str) -> dict[str, Any]:
    """Describe one item that is wrong; ``index`` counts from 0."""
    return {"index": index, "prediction_id": about, "code": code, "message": message}
