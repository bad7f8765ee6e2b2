"""Finding suspicious feedback as it comes in, and setting it aside in the same transaction.

What is suspected is a sender, a person or a key, and its labels for one model on one day (UTC). Each report
adds to the sender's tally of the day; only when that has grown by half since the last look are labels read,
and never more than ``SAMPLE``. So a report costs the same whatever the history, and the stated rate of false
alarms is kept (``feedback.statistics.suspicion``).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import NamedTuple

from feedback.models import FeedbackSettings, LabelTally, Quarantine
from feedback.models.quarantine import QuarantineState
from feedback.services.feedback_settings import settings_of_models
from feedback.services.history import Entry, Settled
from feedback.services.reported import AGREED, IMPORTED, Report
from feedback.services.setting_aside import take
from feedback.services.suspecting import Counts, Looked, suspect
from feedback.statistics.agreement import numbers_agree
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.services.audit import record
from registry.models import RegisteredModel


class Sender(NamedTuple):
    """Who told of which model on which day."""

    model_id: int
    day: date
    name: str


@dataclass
class Told:
    """What a report adds to a tally."""

    labels: int = 0
    imported: int = 0
    compared: int = 0
    disagreed: int = 0


def guard(settled: Settled, models: Mapping[int, RegisteredModel]) -> int:
    """Count what was stored, look at senders where that is due, and return how many of it are set aside.

    Call it in the tenant's transaction, after the outcomes were inserted.
    """
    if not settled.new and not settled.met:
        return 0
    settings = {key: one for key, one in settings_of_models(models.values()).items() if one.guard}
    told = _told(settled, settings)
    return sum(
        _weigh(sender, told[sender], settings[sender.model_id], models[sender.model_id])
        for sender in sorted(told)  # in one order, so that two reports never wait for each other
    )


def _told(settled: Settled, settings: Mapping[int, FeedbackSettings]) -> defaultdict[Sender, Told]:
    told: defaultdict[Sender, Told] = defaultdict(Told)
    reports = [entry.report for entry in settled.new if entry.report is not None]
    for (model_id, origin), count in Counter((one.model_id, one.origin) for one in reports).items():
        if model_id not in settings or origin.source == AGREED:
            continue
        counts = told[Sender(model_id, origin.received_at.date(), origin.received_from)]
        if origin.source == IMPORTED:
            counts.imported += count
        else:
            counts.labels += count
    for report, other in settled.met:
        if report.model_id in settings:
            _compare(told, report, other, settings[report.model_id])
    return told


def _compare(
    told: defaultdict[Sender, Told], report: Report, other: Entry, settings: FeedbackSettings
) -> None:
    """Hold the one whom nobody trusts against the one who is trusted, whoever spoke first."""
    ours = report.origin.source == AGREED or report.origin.received_from in settings.trusted
    theirs = other.source == AGREED or other.sender in settings.trusted
    if ours == theirs:
        return
    moment, name = (other.received_at, other.sender) if ours else report.origin[:2]
    counts = told[Sender(report.model_id, moment.date(), name)]
    counts.compared += 1
    counts.disagreed += not _agree(report, other, settings)


def _agree(report: Report, other: Entry, settings: FeedbackSettings) -> bool:
    if report.value is None or other.value is None:
        return report.label == other.label
    return numbers_agree(report.value, other.value, settings.number_tolerance)


def _weigh(sender: Sender, told: Told, settings: FeedbackSettings, model: RegisteredModel) -> int:
    """Add to the tally; set aside what the sender says where that is suspicious."""
    tally = _tally(sender)
    before = _counts(tally)
    for name, count in vars(told).items():
        setattr(tally, name, getattr(tally, name) + count)
    tally.save(update_fields=list(vars(told)))
    of_sender = Quarantine.objects.filter(model=model, sender=sender.name)
    case = of_sender.filter(state=QuarantineState.OPEN).first()
    if case is None and sender.name not in settings.trusted:
        found = suspect(Looked(model, tally, before, _counts(tally)), settings)
        if found is not None:
            case = Quarantine.objects.create(
                model=model,
                sender=sender.name,
                suspicion=found.suspicion,
                reason=found.reason[:500],
                numbers=found.numbers,
                since=tally.since,
            )
            record(
                by=SYSTEM,
                action="quarantine.opened",
                target=case,
                after={"suspicion": found.suspicion, "reason": case.reason, "numbers": found.numbers},
            )
    taken = 0 if case is None else take(case)
    return min(taken, told.labels + told.imported)  # those from earlier that day are no part of the report


def _tally(sender: Sender) -> LabelTally:
    """Return the sender's tally, locked until the transaction ends."""
    named = {"model_id": sender.model_id, "day": sender.day, "sender": sender.name}
    found = LabelTally.objects.select_for_update().filter(**named).first()
    if found is None:
        since = datetime.combine(sender.day, time.min, UTC)
        LabelTally.objects.get_or_create(**named, defaults={"since": since})
        found = LabelTally.objects.select_for_update().get(**named)
    return found


def _counts(tally: LabelTally) -> Counts:
    return Counts(tally.labels, tally.imported, tally.compared, tally.disagreed)
