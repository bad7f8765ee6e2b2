"""The curves behind the figures, thinned to what a picture can show."""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_curve

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MAX_POINTS = 200


class Curve(msgspec.Struct, frozen=True):
    """Points of a curve and the area below it, where that means something."""

    x: list[float]
    y: list[float]
    area: float | None = None


class Bins(msgspec.Struct, frozen=True):
    """What was said and what came true, bin by bin; bins without rows are left out."""

    said: list[float]
    came_true: list[float]
    rows: list[int]


def roc(is_class: Flags, score: Floats) -> Curve:
    """False positives (x) against true positives (y), as shares, over all thresholds.

    Args:
        is_class: (n,) which rows are of the class; both kinds must occur.
        score: (n,) higher for likelier.
    """
    x, y, _ = roc_curve(is_class, score)
    return _curve(x, y, float(auc(x, y)))


def precision_recall(is_class: Flags, score: Floats) -> Curve:
    """Recall (x) against precision (y) over all thresholds; the area is the average precision."""
    precision, recall, _ = precision_recall_curve(is_class, score)
    return _curve(recall[::-1], precision[::-1], float(average_precision_score(is_class, score)))


def calibration(is_class: Flags, probability: Floats, bins: int = 10) -> Bins:
    """The mean probability said and the share that came true, in bins of equally many rows."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, min(bins, len(order))) if len(part)]
    return Bins(
        said=[float(probability[part].mean()) for part in parts],
        came_true=[float(is_class[part].mean()) for part in parts],
        rows=[len(part) for part in parts],
    )


def gains(is_class: Flags, score: Floats) -> Curve:
    """Share of the rows looked at, best first (x), against the share of the class found (y).

    ``y / x`` is the lift: how many times more are found than by drawing lots.
    """
    ordered = is_class[np.argsort(-score, kind="stable")]
    found = np.concatenate([[0.0], np.cumsum(ordered) / max(int(ordered.sum()), 1)])
    return _curve(np.linspace(0, 1, len(found)), found, None)


def residuals(truth: Floats, predicted: Floats, seed: int = 0) -> Curve:
    """Predicted values (x) against truth minus prediction (y), of at most 200 random rows, in order."""
    rows = np.arange(len(truth))
    if len(rows) > MAX_POINTS:
        rows = np.random.default_rng(seed).choice(rows, MAX_POINTS, replace=False)
    rows = rows[np.argsort(predicted[rows], kind="stable")]
    return Curve(predicted[rows].tolist(), (truth[rows] - predicted[rows]).tolist())


def classification_curves(
    truth: npt.NDArray[Any], probabilities: Floats, classes: list[str], *, most: int = 12
) -> dict[str, dict[str, Curve | Bins]]:
    """Each class's curves against the rest; of two classes the second alone, whose mirror the first is.

    Args:
        truth: (n,) labels. probabilities: (n, k) in the order of ``classes``. A class that is not, or not
        alone, among the true labels has no curves. most: so many classes have curves, the most frequent ones.
    """
    frequent = sorted(classes, key=lambda label: -int((truth == label).sum()))[:most]
    shown = classes[1:] if len(classes) == 2 else [label for label in classes if label in frequent]
    curves: dict[str, dict[str, Curve | Bins]] = {}
    for label in shown:
        is_class, score = truth == label, probabilities[:, classes.index(label)]
        if 0 < is_class.sum() < len(is_class):
            curves[label] = {
                "roc": roc(is_class, score),
                "precision_recall": precision_recall(is_class, score),
                "calibration": calibration(is_class, score),
                "gains": gains(is_class, score),
            }
    return curves


def _curve(x: Floats, y: Floats, area: float | None) -> Curve:
    """Thinned to points evenly spaced along the curve's own length, both ends kept."""
    if len(x) > MAX_POINTS:
        way = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
        places = np.searchsorted(way, np.linspace(0, way[-1], MAX_POINTS))
        keep = np.unique(np.concatenate([[0], places, [len(x) - 1]]))
        keep = keep[keep < len(x)]
        x, y = x[keep], y[keep]
    return Curve(np.asarray(x, dtype=float).tolist(), np.asarray(y, dtype=float).tolist(), area)
