"""From the numbers of a twin's graphs to answers, as the original pipeline's last steps do."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from registry.inference.recipe import Anomaly, Classes, Clouds, Head, Labels, Nearest, Number, Sigmoid, Stairs
from registry.problems.anomaly import ANOMALY, NORMAL
from registry.problems.base import Predictions
from registry.problems.clustering import cluster_name

Floats = npt.NDArray[np.float64]
Answering = Callable[[Floats], Predictions]

NO_CLUSTER = -1
HAIR = 1 + 1e-9  # for distances that were computed in another order of additions
SMALLEST = 1e-4  # in a pool a probability of 0 would have the last word
INSIDE = 1e-6  # from 0 and 1, so that the odds are finite


def mixing(weights: Sequence[float] | None, *, pooled: bool) -> Callable[[Sequence[Floats]], Floats]:
    """A function that makes one answer of the members' answers, all of one shape.

    Args:
        weights: of their sum; None where there is one member. pooled: of their logarithms' sum instead, the
            logarithmic pool of an ensemble that was stacked.
    """
    if weights is None:
        return lambda found: found[0]
    if pooled:
        return lambda found: _pool(_sum(weights, [np.log(np.clip(one, SMALLEST, 1.0)) for one in found]))
    return lambda found: _sum(weights, found)


def _sum(weights: Sequence[float], answers: Sequence[Floats]) -> Floats:
    total = weights[0] * answers[0]
    for weight, answer in zip(weights[1:], answers[1:], strict=True):
        total = total + weight * answer
    return np.asarray(total)


def _pool(logs: Floats) -> Floats:
    raised = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def answering(head: Head) -> Answering:
    """A function of the (mixed) numbers of the graphs that gives the answers."""
    makers: dict[type[Any], Callable[[Any], Answering]] = {
        Classes: _classes,
        Labels: _labels,
        Number: lambda _: lambda found: Predictions(values=found[:, 0]),
        Anomaly: _anomaly,
        Nearest: _nearest,
        Clouds: _clouds,
    }
    return makers[type(head)](head)


def _classes(head: Classes) -> Answering:
    labels = np.asarray(head.labels, dtype=object)
    fixes = None if head.calibrators is None else [_calibrator(one) for one in head.calibrators]

    def answer(found: Floats) -> Predictions:
        shares = found if fixes is None else _corrected(found, fixes)
        if head.threshold is None:
            places = shares.argmax(axis=1)
        else:
            above = shares[:, head.positive] >= head.threshold
            places = np.where(above, head.positive, 1 - head.positive)
        return Predictions(labels[places], shares, head.labels)

    return answer


def _corrected(found: Floats, fixes: Sequence[Callable[[Floats], Floats]]) -> Floats:
    if found.shape[1] == 2:
        yes = fixes[0](found[:, 1])
        return np.column_stack([1 - yes, yes])
    columns = np.column_stack([fix(found[:, place]) for place, fix in enumerate(fixes)])
    return np.asarray(columns / columns.sum(axis=1, keepdims=True))


def _calibrator(fix: Sigmoid | Stairs) -> Callable[[Floats], Floats]:
    if isinstance(fix, Sigmoid):
        return lambda found: np.asarray(1 / (1 + np.exp(-(fix.slope * _log_odds(found) + fix.shift))))
    x, y = np.asarray(fix.x), np.asarray(fix.y)
    return lambda found: np.clip(np.interp(found, x, y), fix.margin, 1 - fix.margin)


def _log_odds(shares: Floats) -> Floats:
    inside = np.clip(shares, INSIDE, 1 - INSIDE)
    return np.asarray(np.log(inside / (1 - inside)))


def _labels(head: Labels) -> Answering:
    labels = np.asarray(head.labels, dtype=object)
    return lambda found: Predictions(labels[found[:, 0].astype("int64")], classes=head.labels)


def _anomaly(head: Anomaly) -> Answering:
    values, ranks = np.asarray(head.values), np.asarray(head.ranks)

    def answer(found: Floats) -> Predictions:
        # As the detectors' own scale: a line through the training rows' ranks, and a tail at either end.
        measured = np.round((found[:, 0] - head.centre) / head.spread, 9)
        above, below = np.maximum(measured - values[-1], 0), np.maximum(values[0] - measured, 0)
        scores = np.interp(measured, values, ranks)
        scores = np.where(above > 0, 1 - (1 - ranks[-1]) * np.exp(-above), scores)
        scores = np.where(below > 0, ranks[0] * np.exp(-below), scores)
        flagged = np.where(scores > head.threshold, ANOMALY, NORMAL).astype(object)
        return Predictions(flagged, scores=scores)

    return answer


def _nearest(head: Nearest) -> Answering:
    clusters = np.asarray(head.clusters)
    reaches = np.array([np.inf if reach is None else reach for reach in head.reaches])

    def answer(found: Floats) -> Predictions:
        nearest = found.argmin(axis=1)
        away = found[np.arange(len(found)), nearest]
        numbers = np.where(away <= reaches[nearest] * HAIR, clusters[nearest], NO_CLUSTER)
        return Predictions(_names(numbers), scores=away)

    return answer


def _clouds(head: Clouds) -> Answering:
    names = [cluster_name(place) for place in range(head.count)]

    def answer(found: Floats) -> Predictions:
        shares, distances = found[:, : head.count], found[:, head.count :]
        numbers = shares.argmax(axis=1)
        away = distances[np.arange(len(found)), numbers]
        return Predictions(_names(numbers), shares, names, scores=away)

    return answer


def _names(numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.array([cluster_name(int(number)) for number in numbers], dtype=object)
