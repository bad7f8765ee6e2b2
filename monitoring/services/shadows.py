"""Versions in shadow held against the version that clients heard, on the same rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from feedback.models import Outcome
from mlplatform.errors import InvalidInput
from monitoring.services.windows import LOOK_BACK, check_window
from registry.gates.figures import ShadowFigures, Times
from registry.models import ModelVersion, RegisteredModel, ShadowAnswer, ShadowTally
from registry.models.registered_model import ProblemKind
from registry.problems import Comparison, NotComparable, Predictions
from registry.problems.agreement import agreement
from registry.services.listings import HEAVY_VERSION_COLUMNS
from registry.services.shadow_evidence import provide
from registry.services.shadows import shadow_versions

MOST_COMPARED = 10_000
DIFFERENT_SHOWN = 10


@dataclass(frozen=True)
class Pair:
    """One row: what the client heard, and what the shadow said."""

    prediction: UUID
    heard: tuple[str, float | None, dict[str, float] | None]
    shadow: tuple[str, float | None, dict[str, float] | None]
    times: tuple[float, float] | None


def shadow_reports(
    model: RegisteredModel, since: datetime | None = None, until: datetime | None = None
) -> list[ShadowFigures]:
    """Return the figures of each version that answers, or answered, in the champion's shadow, newest first.

    Over rows asked in [since, until), by default the champion's last seven days. Empty without a champion.
    Raises InvalidInput for a window that ends before it begins.
    """
    window = check_window(model)
    if window is None:
        return []
    start, end = since or window.start, until or window.end
    if start >= end:
        raise InvalidInput("The window ends before it begins. Let since be earlier than until.")
    rows = _rows(window.version, start, end)
    named = {version.pk for version in shadow_versions(model)} - {window.version.pk}
    answered = set(rows.order_by().values_list("version_id", flat=True).distinct())
    versions = ModelVersion.objects.filter(pk__in=named | answered).select_related("model")
    return [
        _figures(version, window.version, start, end)
        for version in versions.defer(*HEAVY_VERSION_COLUMNS).order_by("-number")
    ]


@provide
def figures_of(version: ModelVersion, heard: ModelVersion, since: datetime | None = None) -> ShadowFigures:
    """Return the figures of one version in shadow of another, by default over the last seven days."""
    end = _now()
    return _figures(version, heard, since or end - LOOK_BACK, end)


def latest_differences(version: ModelVersion, heard: ModelVersion, since: datetime) -> list[ShadowAnswer]:
    """Return the newest rows for which the shadow said another label, or had numbers furthest apart.

    Of clusters none: their names say nothing.
    """
    rows = _rows(heard, since, _now()).filter(version=version).select_related("prediction__version__model")
    if heard.model.problem_type == ProblemKind.CLUSTERING:
        return []
    if heard.model.problem.outcome == "label":
        apart = rows.exclude(failure="", label=F("prediction__label"))
        return list(apart[:DIFFERENT_SHOWN])
    newest = list(rows[:MOST_COMPARED])
    newest.sort(key=lambda one: -abs((one.value or 0.0) - (one.prediction.value or 0.0)))
    return newest[:DIFFERENT_SHOWN]


def _figures(version: ModelVersion, heard: ModelVersion, since: datetime, until: datetime) -> ShadowFigures:
    rows = _rows(heard, since, until).filter(version=version)
    counted = rows.order_by().aggregate(rows=Count("pk"), failed=Count("pk", filter=~Q(failure="")))
    newest = list(
        rows.values_list(
            "prediction_id",
            "prediction__label",
            "prediction__value",
            "prediction__probabilities",
            "label",
            "value",
            "probabilities",
            "failure",
            "champion_ms",
            "latency_ms",
        )[:MOST_COMPARED]
    )
    failures = Counter(row[7] for row in newest if row[7])
    pairs = [Pair(row[0], row[1:4], row[4:7], _taken(row[8:])) for row in newest if not row[7]]
    theirs = _predictions(heard, [pair.heard for pair in pairs])
    ours = _predictions(version, [pair.shadow for pair in pairs])
    problem = version.model.problem
    tally = ShadowTally.objects.filter(version=version).first()
    return ShadowFigures(
        version=version,
        heard=heard,
        since=since,
        until=until,
        rows=counted["rows"],
        failed=counted["failed"],
        failure=failures.most_common(1)[0][0] if failures else "",
        dropped=tally.dropped if tally else 0,
        dropped_for=tally.reason if tally else "",
        compared=len(newest),
        agreement=agreement(
            theirs,
            ours,
            failed=sum(failures.values()),
            labelled=problem.outcome != "value",
            clusters=version.model.problem_type == ProblemKind.CLUSTERING,
        ),
        times=_times([pair.times for pair in pairs if pair.times is not None]),
        metric=problem.primary_metric,
        **_judged(version, pairs, ours, theirs),
    )


def _judged(
    version: ModelVersion, pairs: Sequence[Pair], ours: Predictions, theirs: Predictions
) -> dict[str, Any]:
    """Return what the outcomes say that are known by now: how many, the comparison, each one's metric."""
    problem = version.model.problem
    known = _outcomes(version, [pair.prediction for pair in pairs]) if problem.outcome else {}
    places = np.array([place for place, pair in enumerate(pairs) if pair.prediction in known], dtype="int64")
    judged: dict[str, Any] = {"outcomes": len(places), "comparison": None, "value": None, "heard_value": None}
    if not len(places):
        return judged
    truth = np.array([known[pairs[place].prediction] for place in places], dtype=object)
    truth = truth.astype("float64") if problem.outcome == "value" else truth
    ours, theirs = ours.take(places), theirs.take(places)
    return judged | {
        "comparison": _comparison(version.model, truth, ours, theirs),
        "value": problem.score(truth, ours).get(problem.primary_metric),
        "heard_value": problem.score(truth, theirs).get(problem.primary_metric),
    }


def _comparison(
    model: RegisteredModel, truth: Any, ours: Predictions, theirs: Predictions
) -> Comparison | None:
    try:
        return model.problem.compare(truth, ours, theirs)
    except NotComparable:
        return None


def _outcomes(version: ModelVersion, predictions: Sequence[UUID]) -> dict[UUID, Any]:
    kind = version.model.problem.outcome or "label"
    found: dict[UUID, Any] = {}
    for start in range(0, len(predictions), 500):
        rows = Outcome.objects.filter(prediction__in=predictions[start : start + 500], current=True)
        found |= dict(rows.order_by().values_list("prediction_id", kind))
    return found


def _predictions(
    version: ModelVersion, answers: Sequence[tuple[str, float | None, dict[str, float] | None]]
) -> Predictions:
    """Return logged answers of one version as its problem knows them."""
    problem, classes = version.model.problem, version.classes
    values = np.array([value if value is not None else np.nan for _, value, _ in answers], dtype="float64")
    if problem.outcome == "value":
        return Predictions(values=values)
    labels = np.array([label for label, _, _ in answers], dtype=object)
    scores = None if np.isnan(values).any() else values
    if not classes or not all(chances and set(classes) <= set(chances) for _, _, chances in answers):
        return Predictions(values=labels, classes=classes, scores=scores)
    shares = np.array([[chances[label] for label in classes] for _, _, chances in answers if chances])
    shares = shares.reshape(len(answers), len(classes))
    return Predictions(values=labels, probabilities=shares, classes=list(classes), scores=scores)


def _taken(times: Sequence[float | None]) -> tuple[float, float] | None:
    heard, shadow = times
    return None if heard is None or shadow is None else (heard, shadow)


def _times(taken: Sequence[tuple[float, float]]) -> Times | None:
    if not taken:
        return None
    heard, shadow = (np.quantile([pair[side] for pair in taken], [0.5, 0.95]).tolist() for side in (0, 1))
    return Times(len(taken), shadow[0], shadow[1], heard[0], heard[1])


def _rows(heard: ModelVersion, since: datetime, until: datetime) -> "QuerySet[ShadowAnswer]":
    return ShadowAnswer.objects.filter(
        model=heard.model_id, prediction__version=heard, asked_at__gte=since, asked_at__lt=until
    )


def _now() -> datetime:
    # The rows of one request are stamped a microsecond apart, so the last ones may lie a moment ahead.
    return timezone.now() + timedelta(microseconds=settings.MAX_PREDICTION_ROWS)
