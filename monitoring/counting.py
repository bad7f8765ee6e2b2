"""Counts and tallies of rows: what an hour's roll-up is made of."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from feedback.models import Outcome
from monitoring.frames import AskedRows
from monitoring.statistics.expected import MOST_CLASSES, tally_of_answers
from monitoring.statistics.quality import (
    RESAMPLES,
    Estimate,
    quality_of_detector,
    quality_of_labels,
    quality_of_numbers,
)
from monitoring.statistics.tallies import Tally, tally_of_labels, tally_of_numbers, tally_of_scores
from registry.models import ModelVersion, Prediction
from registry.problems.anomaly import ANOMALY
from registry.tabular.histograms import count_on

ANSWERS = "prediction"  # the reference's name for the model's own answers
MOST_CALLERS = 50
LATENCY_BINS_A_DECADE = 20
BINS = ("edges", "categories")


def column_counts(version: ModelVersion, asked: AskedRows) -> dict[str, Any]:
    """Count each column that the version has a reference of, and its answers, on the reference's bins.

    The bins themselves, which the reference has, are left out.
    """
    columns = {str(name): asked.features[name] for name in asked.features} | {ANSWERS: asked.answers}
    counted = {
        name: count_on(version.reference[name], values)
        for name, values in columns.items()
        if name in version.reference
    }
    return {
        name: {key: value for key, value in one.items() if key not in BINS} for name, one in counted.items()
    }


def service_counts(rows: Sequence[Prediction]) -> Tally:
    """Count the rows by what answered, from memory or not, who asked, and how long it took.

    The times are counted on bins of the logarithm of milliseconds.
    """
    callers = Counter(row.asked_by for row in rows).most_common(MOST_CALLERS)
    return {
        "engine": dict(Counter(row.engine or "original" for row in rows)),
        "cached": sum(row.cached for row in rows),
        "asked_by": dict(callers),
        "latency": dict(Counter(str(latency_bin(row.latency_ms)) for row in rows)),
        "latency_ms": sum(row.latency_ms for row in rows),
    }


def latency_bin(milliseconds: float) -> int:
    """Return the bin of a duration; a bin is 12 % wide."""
    return math.floor(math.log10(max(milliseconds, 1e-3)) * LATENCY_BINS_A_DECADE)


def latency_percentile(counts: dict[str, int], share: float) -> float | None:
    """Return the milliseconds within which this share of the counted rows was answered; None without rows."""
    places = sorted(int(place) for place in counts)
    if not places:
        return None
    below = np.cumsum([counts[str(place)] for place in places])
    place = places[int(np.searchsorted(below, share * below[-1]))]
    return float(10 ** ((place + 1) / LATENCY_BINS_A_DECADE))


def outcome_tally(version: ModelVersion, rows: Sequence[Outcome]) -> Tally:
    """Return the tally of the rows' predictions held against their outcomes; empty for a clustering."""
    kind = version.model.problem.outcome
    if kind is None or not rows:
        return {}
    asked = [row.prediction for row in rows]
    if kind == "value":
        truth = np.array([row.value for row in rows], dtype="float64")
        return tally_of_numbers(truth, np.array([one.value for one in asked], dtype="float64"))
    labels = np.array([row.label for row in rows], dtype=object)
    answered = np.array([one.label for one in asked], dtype=object)
    if version.classes is None:
        scores = np.array([one.value for one in asked], dtype="float64")
        return tally_of_scores(labels, answered == ANOMALY, scores, ANOMALY)
    return tally_of_labels(labels, answered, _chances(version.classes, asked), version.classes)


def estimate_tally(version: ModelVersion, rows: Sequence[Prediction]) -> Tally:
    """Return what tells a classifier's quality without outcomes; empty for all other models.

    A regression's is learnt apart, by ``monitoring.services.losses``.
    """
    if version.model.problem.outcome != "label" or not version.classes or len(version.classes) > MOST_CLASSES:
        return {}
    answered = np.array([row.label for row in rows], dtype=object)
    return tally_of_answers(answered, _chances(version.classes, rows), version.classes)


def _chances(classes: Sequence[str], rows: Sequence[Prediction]) -> npt.NDArray[np.float64]:
    """Return (n, k) probabilities, NaN where a row has none."""
    return np.array(
        [[(row.probabilities or {}).get(label, np.nan) for label in classes] for row in rows], dtype="float64"
    )


def quality_of(version: ModelVersion, tally: Tally, *, resamples: int = RESAMPLES) -> dict[str, Estimate]:
    """Return the metrics that a tally of ``outcome_tally`` tells, by the names of the problem type."""
    if version.model.problem.outcome == "value":
        return quality_of_numbers(tally)
    if version.classes:
        return quality_of_labels(tally, resamples=resamples)
    return quality_of_detector(tally, ANOMALY)
