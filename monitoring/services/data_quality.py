"""What was amiss with the rows that a version was asked, against what it was trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from monitoring.counting import ANSWERS
from monitoring.data_counting import data_added
from monitoring.services.hours import Hour, hours_of, of_version, versions_of
from monitoring.services.periods import Period
from monitoring.services.places import WHOLE, Part
from monitoring.statistics.data_quality import share_grew
from monitoring.statistics.distinct import distinct_rows
from monitoring.statistics.tallies import Tally, added
from registry.models import ModelVersion, RegisteredModel

AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class ColumnQuality:
    """One feature's shares among the rows; ``changed`` names those that grew beyond chance.

    ``missing`` and ``unknown`` (categories that the reference has not) are held against the reference's;
    ``low`` and ``high`` lie beyond the training data, ``mistyped`` came in another type.
    """

    column: str
    rows: int
    missing: float
    missing_before: float
    unknown: float
    low: float
    high: float
    mistyped: float
    changed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class DataReport:
    """What a version was asked in the period.

    ``before`` is the number of rows in the period of the same length before. ``age_seconds`` is how long ago
    the last row came, ``silent_hours`` how many full hours of the period had none. ``repeated`` is the share
    of rows that say what another one in the period says, exact up to 400 different rows, else within 10 %.
    """

    version: ModelVersion
    rows: int
    before: int
    last: datetime | None
    age_seconds: float | None
    silent_hours: int
    repeated: float | None
    columns: list[ColumnQuality]


def data_report(
    *, model: RegisteredModel, period: Period, part: Part = WHOLE, version: ModelVersion | None = None
) -> DataReport | None:
    """Return what is known of the rows that the champion was asked, or else the newest version that was.

    ``version`` names another one. None where there is no version to tell of.
    """
    hours = hours_of(model, period, "columns", "data", part=part)
    versions = [version] if version else versions_of(model, hours)
    if not versions:
        return None
    version = ModelVersion.objects.select_related("model").get(pk=versions[0].pk)
    mine = of_version(hours, version)
    before = hours_of(model, period.before, part=part)
    data: Tally = {}
    for hour in mine:
        data = data_added(data, hour.counts["data"])
    rows = sum(hour.predictions for hour in mine)
    last = datetime.fromtimestamp(data["last"], UTC) if data else None
    different = distinct_rows(data["sketch"]) if data else 0
    return DataReport(
        version,
        rows,
        sum(hour.predictions for hour in of_version(before, version)),
        last,
        max(0.0, (timezone.now() - last).total_seconds()) if last else None,
        _silent(mine, period),
        max(0.0, 1 - different / rows) if rows and different else None,
        _columns(version, mine, data.get("columns", {})),
    )


def _silent(hours: Sequence[Hour], period: Period) -> int:
    whole = int((min(period.until, timezone.now()) - period.since) / AN_HOUR)
    heard = {int((hour.begins - period.since) / AN_HOUR) for hour in hours if hour.predictions}
    return max(0, whole - len([place for place in heard if place < whole]))


def _columns(
    version: ModelVersion, hours: Sequence[Hour], amiss: Mapping[str, Mapping[str, int]]
) -> list[ColumnQuality]:
    counted: dict[str, Tally] = {}
    for hour in hours:
        for name, one in hour.counts["columns"].items():
            counted[name] = added(counted.get(name, {}), _shape(one))
    names = [name for name in counted if name != ANSWERS and name in version.reference]
    found = [
        _column(name, counted[name], version.reference[name], amiss.get(name, {}), tests=4 * len(names))
        for name in names
    ]
    return sorted(found, key=lambda one: (-len(one.changed), -one.missing, one.column))


def _column(
    name: str, now: Mapping[str, int], reference: Mapping[str, Any], amiss: Mapping[str, int], *, tests: int
) -> ColumnQuality:
    then = _shape(reference)
    rows, before = _rows(now), _rows(then)
    counts = {
        "missing": now.get("missing", 0),
        "unknown": now.get("other", 0),
        "low": amiss.get("low", 0),
        "high": amiss.get("high", 0),
        "mistyped": amiss.get("type", 0),
    }
    usual = {"missing": then["missing"], "unknown": then["other"]}
    shares = {kind: count / rows if rows else 0.0 for kind, count in counts.items()}
    changed = [
        kind
        for kind, count in counts.items()
        if share_grew(count, rows, usual.get(kind, 0), before, tests=tests)
    ]
    return ColumnQuality(
        name, rows, missing_before=then["missing"] / before if before else 0.0, changed=changed, **shares
    )


def _shape(histogram: Mapping[str, Any]) -> dict[str, int]:
    return {
        "known": sum(histogram["counts"]),
        "missing": histogram.get("missing", 0),
        "other": histogram.get("other", 0),
    }


def _rows(counts: Mapping[str, int]) -> int:
    return counts.get("known", 0) + counts.get("missing", 0) + counts.get("other", 0)
