"""Confidence intervals of every metric at once, by one bootstrap without a loop over resamples.

A resample is a row of weights: how often each held-out row was drawn (Efron and Tibshirani 1993, ch. 13).
Each metric is then a sum over weighted rows, and all resamples are one matrix product.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from registry.problems import Predictions, ProblemType
from training.evaluation.weighted_areas import macro_areas

Floats = npt.NDArray[np.float64]
Ends = tuple[float, float]

MOST, FEWEST, CELLS = 500, 100, 1_000_000
CALIBRATION_BINS = 15
MOST_CLASSES = 10  # beyond, areas of one class against the rest cost more than they tell
LABEL_METRICS = frozenset(
    {
        "accuracy",
        "balanced_accuracy",
        "precision",
        "recall",
        "f1",
        "precision_weighted",
        "recall_weighted",
        "f1_weighted",
        "mcc",
    }
)


def metric_intervals(
    problem: ProblemType,
    truth: npt.NDArray[Any],
    predictions: Predictions,
    *,
    names: Collection[str] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Ends]:
    """The two-sided percentile interval of each metric; without those that are not defined.

    Args:
        truth: (n,) targets. predictions: of the same rows.
        names: the metrics wanted; all where it is left out.

    Returns:
        Nothing for fewer than two rows, or for a kind of problem whose metrics need no truth.
    """
    if len(truth) < 2 or problem.key not in WEIGHTED:
        return {}
    resamples = int(np.clip(CELLS // len(truth), FEWEST, MOST))
    weights = draws(len(truth), resamples, seed)
    scores = WEIGHTED[problem.key](np.asarray(truth), predictions, weights, names)
    return {
        name: ends
        for name, values in scores.items()
        if (names is None or name in names) and (ends := _ends(values, confidence)) is not None
    }


def quick_scores(problem: ProblemType, truth: npt.NDArray[Any], predictions: Predictions) -> dict[str, float]:
    """The same as ``problem.score``, many times faster for few rows."""
    if problem.key not in WEIGHTED or not len(truth):
        return problem.score(truth, predictions)
    found = WEIGHTED[problem.key](np.asarray(truth), predictions, np.ones((1, len(truth))), None)
    return {name: float(values[0]) for name, values in found.items() if np.isfinite(values[0])}


def draws(rows: int, resamples: int, seed: int) -> Floats:
    """How often each of n rows is drawn: (resamples, n), each line sums to n."""
    rng = np.random.default_rng(seed)
    places = rng.integers(0, rows, size=(resamples, rows)) + rows * np.arange(resamples)[:, None]
    counts = np.bincount(places.ravel(), minlength=resamples * rows)
    return counts.reshape(resamples, rows).astype("float64")


def weighted_classification(
    truth: npt.NDArray[Any], predictions: Predictions, weights: Floats, names: Collection[str] | None = None
) -> dict[str, Floats]:
    """Each metric of ``Classification.score`` for each of B lines of weights (B, n); NaN where undefined."""
    labels = truth.astype(str).astype(object)
    scores = _label_scores(labels, predictions.values.astype(str).astype(object), weights)
    probabilities, classes = predictions.probabilities, predictions.classes
    if probabilities is None or classes is None or (names is not None and LABEL_METRICS.issuperset(names)):
        return scores
    return scores | _probability_scores(labels, probabilities, classes, weights)


def weighted_regression(
    truth: npt.NDArray[Any], predictions: Predictions, weights: Floats, names: Collection[str] | None = None
) -> dict[str, Floats]:
    """Each metric of ``Regression.score`` for each of B lines of weights (B, n); NaN where undefined."""
    target = truth.astype("float64")
    errors = np.abs(target - predictions.values.astype("float64"))
    n = len(target)
    squared = weights @ errors**2
    centred = target - target.mean()  # the same spread, without large squares that cancel
    spread = weights @ centred**2 - (weights @ centred) ** 2 / n
    scores = {
        "mae": weights @ errors / n,
        "rmse": np.sqrt(squared / n),
        "median_absolute_error": _medians(errors, weights),
        "r2": np.where(spread > 0, 1 - squared / np.where(spread > 0, spread, 1.0), np.nan),
    }
    if (target != 0).all():
        scores["mape"] = weights @ (errors / np.abs(target)) / n
    return scores


WEIGHTED = {"classification": weighted_classification, "regression": weighted_regression}


def _ends(values: Floats, confidence: float) -> Ends | None:
    known = values[np.isfinite(values)]
    if not known.size:
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)


def _label_scores(truth: npt.NDArray[Any], said: npt.NDArray[Any], weights: Floats) -> dict[str, Floats]:
    labels, codes = np.unique(np.concatenate([truth, said]).astype(str), return_inverse=True)
    of_truth, of_said = np.eye(len(labels))[codes[: len(truth)]], np.eye(len(labels))[codes[len(truth) :]]
    hits = weights @ (of_truth * of_said)
    actual, predicted = weights @ of_truth, weights @ of_said
    n = actual.sum(axis=1)
    recall, precision = _ratio(hits, actual), _ratio(hits, predicted)
    f1, share = _ratio(2 * hits, actual + predicted), actual / n[:, None]
    seen, true = actual + predicted > 0, actual > 0
    covariance = hits.sum(axis=1) * n - (actual * predicted).sum(axis=1)
    spread = np.sqrt((n**2 - (predicted**2).sum(axis=1)) * (n**2 - (actual**2).sum(axis=1)))
    return {
        "accuracy": hits.sum(axis=1) / n,
        "balanced_accuracy": _mean(recall, true),
        "precision": _mean(precision, seen),
        "recall": _mean(recall, seen),
        "f1": _mean(f1, seen),
        "precision_weighted": (precision * share).sum(axis=1),
        "recall_weighted": (recall * share).sum(axis=1),
        "f1_weighted": (f1 * share).sum(axis=1),
        "mcc": _ratio(covariance, spread),
    }


def _probability_scores(
    truth: npt.NDArray[Any], probabilities: Floats, classes: list[str], weights: Floats
) -> dict[str, Floats]:
    is_class = (truth[:, None] == np.asarray(classes, dtype=object)[None, :]).astype("float64")
    n = weights.sum(axis=1)
    of_true = np.clip((probabilities * is_class).sum(axis=1), np.finfo("float64").eps, 1.0)
    squared = ((probabilities - is_class) ** 2).sum(axis=1) + 1.0 - is_class.sum(axis=1)
    scores = {
        "log_loss": weights @ -np.log(of_true) / n,
        "brier": weights @ (squared / 2 if len(classes) == 2 else squared) / n,
        "ece": _calibration_errors(probabilities, is_class, weights),
    }
    if len(classes) <= MOST_CLASSES:
        scores |= macro_areas(probabilities, is_class.astype(bool), weights)
    return scores


def _calibration_errors(probabilities: Floats, is_class: Floats, weights: Floats) -> Floats:
    answer = probabilities.argmax(axis=1)
    rows = np.arange(len(answer))
    sureness, right = probabilities[rows, answer], is_class[rows, answer]
    place = np.minimum((sureness * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    distances = weights @ (np.eye(CALIBRATION_BINS)[place] * (sureness - right)[:, None])
    errors: Floats = np.abs(distances).sum(axis=1) / weights.sum(axis=1)
    return errors


def _medians(values: Floats, weights: Floats) -> Floats:
    order = np.argsort(values, kind="stable")
    drawn = np.cumsum(weights[:, order], axis=1)
    n = len(values)
    middle = [values[order][(drawn > place).argmax(axis=1)] for place in ((n - 1) // 2, n // 2)]
    medians: Floats = (middle[0] + middle[1]) / 2
    return medians


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def _mean(values: Floats, counted: npt.NDArray[np.bool_]) -> Floats:
    means: Floats = (values * counted).sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
    return means
