"""Whether the parts of the installation work: database, storage, broker, scheduler, workers."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction

from mlplatform.doctor.background import broker_answers
from mlplatform.heartbeats import BEAT, SILENT_AFTER, WORKER, heard
from monitoring.models import SystemHealth
from monitoring.models.health import HealthState
from monitoring.services.health_spans import (
    KEPT,
    SHOWN,
    Finding,
    Health,
    Strip,
    fields_of_look,
    newest,
    strip_of,
    written_down,
)
from monitoring.services.readiness import readiness

PARTS = ("database", "migrations", "storage", "broker", "scheduler", "workers")


def look_at_system(now: datetime) -> dict[str, Health]:
    """Write down how each part is, and return it; what is older than 48 hours is deleted."""
    found = system_now(now)
    with transaction.atomic():
        last = newest(SystemHealth.objects.filter(ends__gte=now - KEPT), "part")
        new, going_on = written_down(found, last, now)
        SystemHealth.objects.bulk_create(
            [SystemHealth(part=part, **fields_of_look(health, now)) for part, health in new]
        )
        SystemHealth.objects.bulk_update(going_on, ["ends", "words"])
        SystemHealth.objects.filter(ends__lt=now - KEPT).delete()
    return found


def system_now(now: datetime) -> dict[str, Health]:
    """Look at each part."""
    found = {
        part.name: Health([] if part.ready else [Finding("fails", HealthState.BAD, part.detail)])
        for part in readiness()
    }
    broker = broker_answers()
    words = f"The broker {broker.seen}. {broker.mend}"
    found["broker"] = Health([] if broker.good else [Finding("fails", HealthState.BAD, words)])
    beats = heard(now)
    return found | {"scheduler": _scheduler(beats, now), "workers": Health(list(_workers(beats, now)))}


def health_of_system(now: datetime) -> list[tuple[str, Strip]]:
    """Return the last 24 hours of each part.

    What looks is a worker whom the scheduler calls: while either stands still, nothing is written down.
    """
    spans: dict[str, list[SystemHealth]] = defaultdict(list)
    for span in SystemHealth.objects.filter(ends__gt=now - SHOWN):
        spans[span.part].append(span)
    return [(part, strip_of(spans[part], now)) for part in PARTS]


def _scheduler(beats: dict[str, datetime], now: datetime) -> Health:
    last = beats.get(BEAT)
    if last is not None and now - last < SILENT_AFTER:
        return Health()
    since = "was never heard of" if last is None else f"is silent for {_age(now - last)}"
    words = f"The scheduler {since}. Start it: exactly one celery beat."
    return Health([Finding("silent", HealthState.BAD, words)])


def _workers(beats: dict[str, datetime], now: datetime) -> Iterator[Finding]:
    ages = {name.removeprefix(WORKER): now - at for name, at in beats.items() if name.startswith(WORKER)}
    silent = {name: age for name, age in ages.items() if age >= SILENT_AFTER}
    if len(silent) == len(ages):
        yield Finding("silent", HealthState.BAD, "No worker was heard of in the last two minutes.")
    elif silent:
        named = ", ".join(f"{name} for {_age(age)}" for name, age in sorted(silent.items()))
        words = f"{len(silent)} of {len(ages)} workers are silent: {named}."
        forgotten = "One that was taken away is forgotten after a day."
        yield Finding("some_silent", HealthState.WARN, f"{words} {forgotten}")


def _age(age: timedelta) -> str:
    minutes = round(age.total_seconds() / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
