"""Concept drift: whether a version's errors have risen, followed outcome by outcome as they come in."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from mlplatform.tenancy.scope import tenant_transaction
from monitoring.logged import Truths
from monitoring.models import ErrorStream
from monitoring.statistics.concept import PageHinkley, followed, threshold_for
from registry.models import ModelVersion

TOLERANCE = 0.02  # two more wrong answers in a hundred are borne
LARGEST = 4.0  # errors of a number beyond so many usual ones count as these: one outlier is no drift
LEAST_VARIANCE, UNKNOWN_VARIANCE = 0.01, 0.25
MOST_POINTS, POINTS_AT_ONCE, MOST_CHANGES = 400, 20, 50


@dataclass(frozen=True)
class ErrorRise:
    """A rise that the test told of: after which prediction, and the mean errors before and since."""

    at: datetime
    rows: int
    before: float
    since: float


@dataclass(frozen=True)
class ConceptReport:
    """How a version's errors went, over the ``rows`` outcomes that were followed.

    Errors are shares of wrong answers; of a number its errors' sizes, in multiples of ``unit`` (None for
    labels) and at most 1. ``evidence`` is 1 where a rise is told. ``course`` holds
    moments, evidence and mean error.
    """

    version: ModelVersion
    rows: int
    error: float
    evidence: float
    tolerance: float
    unit: float | None
    rises: list[ErrorRise]
    course: list[tuple[datetime, float, float]]


def follow_errors(version: ModelVersion, truths: Truths) -> None:
    """Let the version's test follow the outcomes that are new; call it in the transaction that counts them.

    A corrected outcome was followed when it first came, and is not followed again.
    """
    if version.model.problem.outcome is None:
        return
    again = {key for key, current in zip(truths.prediction, truths.current, strict=True) if not current}
    new = [
        place
        for place, (key, current) in enumerate(zip(truths.prediction, truths.current, strict=True))
        if current and key not in again
    ]
    if not new:
        return
    ErrorStream.objects.get_or_create(version=version, defaults={"model": version.model})
    stream = ErrorStream.objects.select_for_update().get(version=version)
    before = PageHinkley(**stream.state) if stream.state else suited_test(version)
    errors = errors_of(version, truths)[new]
    found = followed(before, errors.tolist())
    moments = [truths.created_at[place] for place in new]
    stream.changes = [
        *stream.changes,
        *(
            {
                "at": moments[one.place].isoformat(),
                "rows": stream.rows + one.place + 1,
                "before": one.before,
                "since": one.since,
            }
            for one in found.changes
        ),
    ][-MOST_CHANGES:]
    stream.course = _thinned([*stream.course, *_points(moments, found.evidence, errors)])
    stream.state, stream.rows = asdict(found.state), stream.rows + len(new)
    stream.save()


def concept_reports(versions: Iterable[ModelVersion]) -> dict[int, ConceptReport]:
    """Return what is known of the errors of these versions, by their keys; versions without outcomes lack."""
    by_key = {version.pk: version for version in versions}
    with tenant_transaction():
        rows = list(ErrorStream.objects.filter(version__in=by_key))
    return {row.version_id: _report(row, by_key[row.version_id]) for row in rows}


def _report(row: ErrorStream, version: ModelVersion) -> ConceptReport:
    state = PageHinkley(**row.state)
    unit = LARGEST * unit_of(version) if version.model.problem.outcome == "value" else None
    return ConceptReport(
        version,
        row.rows,
        state.mean,
        state.evidence,
        state.tolerance,
        unit,
        [
            ErrorRise(datetime.fromisoformat(one["at"]), one["rows"], one["before"], one["since"])
            for one in row.changes
        ],
        [(datetime.fromisoformat(at), evidence, error) for at, evidence, error in row.course],
    )


def suited_test(version: ModelVersion) -> PageHinkley:
    """Return the test that suits the version's hold-out: one false alarm in 100,000 outcomes.

    Where the hold-out does not say how errors spread, they are taken to spread as much as they can.
    """
    variance = UNKNOWN_VARIANCE
    if version.model.problem.outcome == "value":
        mae, rmse = version.metrics.get("mae"), version.metrics.get("rmse")
        if mae and rmse:
            variance = min(UNKNOWN_VARIANCE, (rmse**2 - mae**2) / (LARGEST * mae) ** 2)
    elif version.metrics.get("accuracy") is not None:
        right = version.metrics["accuracy"]
        variance = right * (1 - right)
    return PageHinkley(TOLERANCE, threshold_for(max(variance, LEAST_VARIANCE), TOLERANCE))


def errors_of(version: ModelVersion, truths: Truths) -> npt.NDArray[np.float64]:
    """Return each answer's error in [0, 1]: whether it is wrong, or its size in units of ``unit_of``."""
    if version.model.problem.outcome == "value":
        off = np.asarray(truths.answered_value, dtype="float64") - np.asarray(truths.value, dtype="float64")
        sizes = np.minimum(np.abs(off) / (LARGEST * unit_of(version)), 1.0)
        return np.where(np.isfinite(sizes), sizes, 1.0)
    pairs = zip(truths.label, truths.answered_label, strict=True)
    return np.array([truth != answer for truth, answer in pairs], dtype="float64")


def unit_of(version: ModelVersion) -> float:
    """Return the mean error of a number on the hold-out; 1 where that is unknown or 0."""
    return float(version.metrics.get("mae") or 1.0)


def _points(
    moments: list[datetime], evidence: list[float], errors: npt.NDArray[np.float64]
) -> list[list[Any]]:
    """Return a few points of the course: the most evidence and the mean error of equal stretches."""
    parts = np.array_split(np.arange(len(moments)), min(POINTS_AT_ONCE, len(moments)))
    return [
        [moments[part[-1]].isoformat(), max(evidence[place] for place in part), float(errors[part].mean())]
        for part in parts
    ]


def _thinned(points: list[list[Any]]) -> list[list[Any]]:
    """Keep the course short: once it is too long, of two neighbours the one with more evidence stays."""
    while len(points) > MOST_POINTS:
        pairs = [points[place : place + 2] for place in range(0, len(points), 2)]
        points = [max(pair, key=lambda point: float(point[1])) for pair in pairs]
    return points
