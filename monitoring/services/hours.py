"""Reading the hours of a period, and no more of each than is asked for."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from mlplatform.tenancy.scope import tenant_transaction
from monitoring.models import Rollup
from monitoring.services.periods import Period
from monitoring.services.places import WHOLE, Part
from monitoring.services.rollups import roll_up
from monitoring.services.sums import sum_of
from monitoring.services.uncounted import as_text, from_texts
from monitoring.statistics.tallies import Tally
from registry.models import Alias, ModelVersion, RegisteredModel
from registry.models.deployment import CHAMPION
from registry.models.rollout import ACTIVE_ROLLOUTS, Rollout
from registry.services.shadows import shadow_versions

NEEDED = ("model", "number", "classes", "metrics", "evaluation", "holdout_rows", "twin_file")
EACH = ("version_id", "begins", "predictions", "labelled")


@dataclass(frozen=True)
class Hour:
    """One version's hour; ``counts`` holds the columns of ``Rollup`` that were asked for."""

    version_id: int
    begins: datetime
    predictions: int
    labelled: int
    counts: dict[str, Any]


def hours_of(model: RegisteredModel, period: Period, *asked: str, part: Part = WHOLE) -> list[Hour]:
    """Count what is not counted yet, and return the hours of all versions of the model, oldest first."""
    roll_up()
    rows = _between(model, period).filter(slice_column=part.column, slice_value=part.value)
    with tenant_transaction():
        found = list(rows.values_list(*EACH, *map(as_text, asked)))
    return _hours(found, asked)


def sliced_hours(model: RegisteredModel, period: Period, column: str, *asked: str) -> dict[str, list[Hour]]:
    """Return the hours of each slice of one column, by the slice's name."""
    roll_up()
    with tenant_transaction():
        sliced = _between(model, period).filter(slice_column=column)
        rows = list(sliced.values_list(*EACH, *map(as_text, asked), "slice_value"))
    found: dict[str, list[Hour]] = {}
    for hour, row in zip(_hours(rows, asked), rows, strict=True):
        found.setdefault(row[-1], []).append(hour)
    return found


def _hours(rows: Sequence[Sequence[Any]], asked: Sequence[str]) -> list[Hour]:
    columns = [from_texts([row[len(EACH) + place] for row in rows]) for place in range(len(asked))]
    counts = ([dict(zip(asked, one, strict=True)) for one in zip(*columns, strict=True)]) or [
        {} for _ in rows
    ]
    return [Hour(row[0], row[1], row[2], row[3], one) for row, one in zip(rows, counts, strict=True)]


def _between(model: RegisteredModel, period: Period) -> "QuerySet[Rollup]":
    rows = Rollup.objects.filter(model=model, begins__gte=period.since, begins__lt=period.until)
    return rows.order_by("begins", "pk")


def tally_of(hours: Iterable[Hour], name: str) -> Tally:
    """Return the sum of one tally over the hours."""
    return sum_of(hour.counts[name] for hour in hours)


def versions_of(model: RegisteredModel, hours: Iterable[Hour]) -> list[ModelVersion]:
    """Return the versions that have hours, the champion first and then the newest.

    The champion is among them in any case, where there is one.
    """
    with tenant_transaction():
        named = Alias.objects.filter(model=model, name=CHAMPION)
        champion = set(named.values_list("version_id", flat=True))
        keys = champion | {hour.version_id for hour in hours}
        rows = ModelVersion.objects.filter(model=model, pk__in=keys).select_related("model")
        found = list(rows.only(*NEEDED))
    return sorted(found, key=lambda version: (version.pk not in champion, -version.number))


def roles_of(model: RegisteredModel, versions: Collection[ModelVersion]) -> dict[int, list[str]]:
    """Return what each version is for: its aliases, ``shadow``, or ``rollout`` where one tries it now."""
    with tenant_transaction():
        named = list(Alias.objects.filter(model=model).order_by("name").values_list("version_id", "name"))
        shadows = {version.pk for version in shadow_versions(model)}
        tried = set(
            Rollout.objects.filter(model=model, state__in=ACTIVE_ROLLOUTS).values_list(
                "challenger_id", flat=True
            )
        )
    return {
        version.pk: [
            *(name for key, name in named if key == version.pk),
            *(["shadow"] if version.pk in shadows else []),
            *(["rollout"] if version.pk in tried else []),
        ]
        for version in versions
    }


def of_version(hours: Sequence[Hour], version: ModelVersion) -> list[Hour]:
    """Return the hours of one version."""
    return [hour for hour in hours if hour.version_id == version.pk]
