"""How many rows stand behind a node of a lineage, and since when there are any.

Counting a log of millions for each page would take seconds. What the roll-ups have counted is summed instead,
and what they have not counted yet, which is little, is counted by its index.
"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum

from feedback.models import Outcome
from feedback.models.outcome import UNSETTLED
from monitoring.models import Rollup
from registry.models import ModelVersion, Prediction, ShadowAnswer

MOST_SHADOWS = 10_000  # answers in shadow that are counted; beyond, there are more
HOUR = timedelta(hours=1)
Begun = Iterator[tuple[int, int, datetime]]


class Counted(NamedTuple):
    """How many, and when the newest was made: of outcomes, when their newest answer was given."""

    rows: int
    newest: datetime


def predictions_of(versions: Collection[int]) -> dict[int, Counted]:
    """Return what each version answered, by its key; what retention has deleted since is counted, too."""
    waiting = (
        Prediction.objects.filter(version__in=versions, rolled_up=False).order_by().values_list("version")
    )
    return _summed(
        _hours(versions).annotate(Sum("predictions"), Max("begins")),
        waiting.values_list("version").annotate(Count("pk"), Max("created_at")),
    )


def outcomes_of(versions: Collection[int]) -> dict[int, Counted]:
    """Return how many of each version's answers have a known outcome, by its key."""
    waiting = Outcome.objects.filter(UNSETTLED, prediction__version__in=versions).order_by()
    grouped = waiting.values_list("prediction__version")
    new = Count("pk", filter=Q(current=True)) - Count("pk", filter=Q(current=False))
    return _summed(
        _hours(versions).filter(labelled__gt=0).annotate(Sum("labelled"), Max("begins")),
        grouped.annotate(new=new, newest=Max("prediction__created_at")),
    )


def shadows_of(versions: Collection[int]) -> dict[int, Counted]:
    """Return what each version said in shadow, by its key, counted up to ``MOST_SHADOWS``."""
    found = {}
    for version in versions:
        rows = ShadowAnswer.objects.filter(version=version).order_by("-asked_at")
        newest = rows.values_list("asked_at", flat=True).first()
        if newest is not None:
            found[version] = Counted(rows[: MOST_SHADOWS + 1].count(), newest)
    return found


def have_answered() -> QuerySet[ModelVersion]:
    """Return the versions that have answered anything."""
    return _in_hours(Exists(Prediction.objects.filter(version=OuterRef("pk"))), predictions__gt=0)


def have_outcomes() -> QuerySet[ModelVersion]:
    """Return the versions of whose answers an outcome is known."""
    new = Outcome.objects.filter(UNSETTLED, current=True, prediction__version=OuterRef("pk"))
    return _in_hours(Exists(new), labelled__gt=0)


def first_answers(models: Collection[int]) -> Begun:
    """Yield version, model and when it first answered, of models that have no target."""
    kept = Prediction.objects.filter(version=OuterRef("pk")).order_by("created_at").values("created_at")[:1]
    versions = ModelVersion.objects.filter(model__in=models, model__target="").order_by()
    dated = versions.annotate(kept=Subquery(kept), hour=_first_hour(predictions__gt=0))
    for version, model, *moments in dated.values_list("pk", "model", "kept", "hour"):
        if known := [moment for moment in moments if moment is not None]:
            yield version, model, min(known)


def first_outcomes(models: Collection[int]) -> Begun:
    """Yield version, model and when the first outcome came in, of models that have a target.

    Of outcomes that are counted already, the first of the first hour of answers that has any.
    """
    versions = ModelVersion.objects.filter(model__in=models).exclude(model__target="").order_by()
    new = Outcome.objects.filter(UNSETTLED, current=True, model__in=models).order_by()
    waiting = dict(new.values_list("prediction__version").annotate(Min("received_at")))
    dated = versions.annotate(hour=_first_hour(labelled__gt=0)).values_list("pk", "model", "hour")
    for version, model, hour in dated:
        counted = None if hour is None else _first_received(version, hour)
        if known := [moment for moment in (waiting.get(version), counted) if moment is not None]:
            yield version, model, min(known)


def _first_received(version: int, hour: datetime) -> datetime:
    answers = {"prediction__version": version, "prediction__created_at__gte": hour}
    rows = Outcome.objects.filter(**answers, prediction__created_at__lt=hour + HOUR)
    first: datetime | None = rows.aggregate(first=Min("received_at"))["first"]
    return first or hour  # the answers are gone, but what they were is counted


def _hours(versions: Collection[int]) -> QuerySet[Any, Any]:
    return Rollup.objects.filter(version__in=versions, slice_column="").order_by().values_list("version")


def _first_hour(**counted: int) -> Subquery:
    hours = Rollup.objects.filter(version=OuterRef("pk"), slice_column="", **counted)
    return Subquery(hours.order_by("begins").values("begins")[:1])


def _in_hours(new: Exists, **counted: int) -> QuerySet[ModelVersion]:
    hours = Rollup.objects.filter(version=OuterRef("pk"), slice_column="", **counted)
    return ModelVersion.objects.filter(new | Exists(hours))


def _summed(*counts: QuerySet[Any, Any]) -> dict[int, Counted]:
    found: dict[int, Counted] = {}
    for counted in counts:
        for version, rows, newest in counted:
            before = found.get(version, Counted(0, newest))
            found[version] = Counted(before.rows + rows, max(before.newest, newest))
    return {version: one for version, one in found.items() if one.rows}
