"""What a prediction's reports come to beside those that are stored: which are new, and which one counts.

The newest counts: by the time it was observed at, or where nobody said so received at; of two at the same
time the one received last. All others are kept.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from feedback.models import Outcome
from feedback.models.outcome import STANDING_STATES
from feedback.services.reported import IMPORTED, Report


@dataclass(slots=True)
class Entry:
    """One outcome of a prediction; ``pk`` where it is stored, ``report`` where it is new.

    ``aside`` says that it was set aside as suspicious, and is not released.
    """

    label: str
    value: float | None
    observed_at: datetime | None
    received_at: datetime
    sender: str
    source: str
    current: bool
    aside: bool = False
    pk: int | None = None
    report: Report | None = None
    first: bool = False

    @property
    def moment(self) -> datetime:
        """The time by which the newest counts."""
        return self.observed_at or self.received_at

    def says(self, report: Report) -> bool:
        """Whether both tell the same value."""
        return (self.label, self.value) == (report.label, report.value)


@dataclass
class Settled:
    """What is to be written: new entries, the keys of rows that no longer count, and what to tell of it.

    ``met`` are pairs of reports and what other senders said of the same predictions before; of repeated
    reports only those whose sender had said nothing of it.
    """

    new: list[Entry] = field(default_factory=list)
    met: list[tuple[Report, Entry]] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)
    repeated: int = 0
    corrected: set[uuid.UUID] = field(default_factory=set)
    corrections: int = 0
    outdated: int = 0


def settle(reports: Sequence[Report]) -> Settled:
    """Hold the reports against what is stored of their predictions."""
    known = _known(list({report.asked.id for report in reports}))
    by_prediction: defaultdict[uuid.UUID, list[Report]] = defaultdict(list)
    for report in reports:
        by_prediction[report.asked.id].append(report)
    settled = Settled()
    for key, told in by_prediction.items():
        _settle_one(known.get(key, []), sorted(told, key=lambda one: one.moment), settled)
    return settled


def new_rows(settled: Settled) -> list[dict[str, Any]]:
    """Return the rows to insert, by the names of the columns."""
    return [_row(entry, entry.report) for entry in settled.new if entry.report is not None]


def _settle_one(history: list[Entry], reports: Iterable[Report], settled: Settled) -> None:
    current = next((entry for entry in history if entry.current), None)
    for report in reports:
        sender = report.origin.received_from
        told_before = any(one.sender == sender for one in history)
        met = [(report, one) for one in history if one.sender != sender and not one.aside]
        if _is_known(report, current, history):
            settled.repeated += 1
            settled.met += [] if told_before else met  # who agrees with somebody else, said so once
            continue
        settled.met += met
        counts = current is None or report.moment >= current.moment
        origin = report.origin
        entry = Entry(
            *(report.label, report.value, report.observed_at),
            *origin,
            counts,
            report=report,
            first=not history,
        )
        history.append(entry)
        settled.new.append(entry)
        if not counts:
            settled.outdated += 1
            continue
        if current is not None:
            _replace(current, report, settled)
        current = entry


def _replace(current: Entry, report: Report, settled: Settled) -> None:
    current.current = False
    if current.pk is not None:
        settled.replaced.append(current.pk)
    if not current.says(report):
        settled.corrections += 1
        settled.corrected.add(report.asked.id)


def _is_known(report: Report, current: Entry | None, history: Iterable[Entry]) -> bool:
    """A report without a time repeats what counts; one with a time what was said of that time.

    What was set aside is not said anew by saying it again.
    """
    if any(_is_aside(entry, report) for entry in history):
        return True
    if current is not None and current.says(report):
        return report.observed_at is None or report.observed_at <= current.moment
    if report.observed_at is None:
        return False
    return any(entry.says(report) and entry.observed_at == report.observed_at for entry in history)


def _is_aside(entry: Entry, report: Report) -> bool:
    same = entry.aside and entry.says(report) and entry.sender == report.origin.received_from
    return same and entry.observed_at == report.observed_at


def _known(keys: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, list[Entry]]:
    known: defaultdict[uuid.UUID, list[Entry]] = defaultdict(list)
    fields = ("label", "value", "observed_at", "received_at", "received_from", "source", "current")
    rows = Outcome.objects.filter(prediction__among=keys).order_by("pk")
    for row in rows.values_list("prediction_id", *fields, "quarantine__state", "pk"):
        prediction, *said, state, pk = row
        entry = Entry(*said)
        entry.aside, entry.pk = state not in STANDING_STATES, pk
        known[prediction].append(entry)
    return known


def _row(entry: Entry, report: Report) -> dict[str, Any]:
    origin, asked = report.origin, report.asked
    measured = entry.first and origin.source != IMPORTED  # when history came in says nothing of its delay
    delay = (origin.received_at - asked.created_at).total_seconds() if measured else None
    return {
        "prediction_id": asked.id,
        "model_id": report.model_id,
        "label": report.label,
        "value": report.value,
        "current": entry.current,
        "source": origin.source,
        "observed_at": report.observed_at,
        "delay_seconds": delay,
        "received_at": origin.received_at,
        "received_from": origin.received_from,
    }
