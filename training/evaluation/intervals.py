"""How far a measured score may be from the true one."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from registry.problems import Predictions
from registry.tabular.errors import TooFewRows

ScoreFunction = Callable[[npt.NDArray[Any], Predictions], float | None]


class Interval(msgspec.Struct, frozen=True):
    """A score, its confidence interval, and the number of resamples on which it was defined."""

    value: float
    low: float
    high: float
    confidence: float
    resamples: int


def bootstrap_interval(
    y_true: Sequence[Any] | npt.NDArray[Any],
    predictions: Predictions,
    score_fn: ScoreFunction,
    n: int = 500,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap interval of a score (Efron and Tibshirani 1993, ch. 13).

    Args:
        score_fn: the score of some rows, or None where it is undefined for them (one class only, say); such
            resamples are left out.
        n: number of resamples.
        confidence: coverage of the two-sided interval, between 0 and 1.

    Raises:
        TooFewRows: fewer than two rows, or the score is not defined for them.
    """
    truth = np.asarray(y_true)
    value = score_fn(truth, predictions) if len(truth) >= 2 else None
    if value is None:
        raise TooFewRows("The score is not defined for these rows. Use a larger hold-out with every class.")
    rng = np.random.default_rng(seed)
    resampled = [
        _score_of(rng.integers(0, len(truth), len(truth)), truth, predictions, score_fn) for _ in range(n)
    ]
    scores = np.asarray([score for score in resampled if score is not None])
    tail = (1 - confidence) / 2
    low, high = np.quantile(scores, [tail, 1 - tail]) if scores.size else (value, value)
    return Interval(value, float(low), float(high), confidence, int(scores.size))


def _score_of(
    rows: npt.NDArray[np.int64], truth: npt.NDArray[Any], predictions: Predictions, score_fn: ScoreFunction
) -> float | None:
    return score_fn(truth[rows], predictions.take(rows))
