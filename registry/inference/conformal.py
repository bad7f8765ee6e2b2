"""Intervals and sets that hold the truth as often as they say (split conformal prediction).

Vovk, Gammerman, Shafer 2005; Lei et al. 2018 for regression; Romano, Sesia, Candès 2020 (APS) for classes.
The promise: over rows like those of the calibration, at least the stated share of intervals or sets holds the
truth, whatever the model is.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.tabular.errors import TooFewRows

Floats = npt.NDArray[np.float64]


KEPT_SCORES = 1000
BEYOND = 2.0  # the score of a label that the model does not know: more than all probability together


class Conformal(msgspec.Struct, frozen=True):
    """What was learnt from rows that the model has not seen: ``radius`` in the score's unit."""

    coverage: float
    radius: float
    rows: int


class Calibration(msgspec.Struct, frozen=True):
    """How strange the truth looked on ``rows`` rows: enough to answer for any coverage.

    ``scores`` are ascending; of more than 1,000 rows those at ``ranks`` (from 1) are kept.
    """

    rows: int
    scores: list[float]
    ranks: list[int]

    def at(self, coverage: float) -> Conformal:
        """What holds the truth this often; where scores were thinned, at least so often.

        Raises:
            TooFewRows: so few rows cannot promise this coverage.
        """
        if not 0 < coverage < 1:
            raise ValueError(f"coverage must lie between 0 and 1, not {coverage}.")
        rank = _ceil((self.rows + 1) * coverage)  # the extra row is the future one
        if rank > self.rows:
            wanted = _ceil(coverage / (1 - coverage))
            raise TooFewRows(
                f"{self.rows} held-out rows cannot promise a coverage of {coverage:.0%}; at least {wanted} "
                "can. Add rows, or ask for less."
            )
        return Conformal(coverage, self.scores[bisect_left(self.ranks, rank)], self.rows)


def calibration(scores: Floats) -> Calibration:
    """The scores of n rows, sorted and thinned for storage."""
    n = len(scores)
    ranks = sorted({-(-place * n // KEPT_SCORES) for place in range(1, KEPT_SCORES + 1)} - {0})
    ordered = np.sort(scores)
    return Calibration(n, [float(ordered[rank - 1]) for rank in ranks], ranks)


def regression_scores(truth: Floats, predicted: Floats) -> Floats:
    """How far from the prediction the truth lies: (n,)."""
    return np.abs(truth - predicted)


def class_scores(truth: npt.NDArray[Any], probabilities: Floats, classes: Sequence[str]) -> Floats:
    """How much probability lies on classes that seem likelier than the true one: (n,).

    The true class's own share is left out (APS with u = 0), or a doubtful row of two classes would have the
    same set as a sure one.
    """
    column = _columns_of(truth, classes)
    gathered = _gathered(probabilities)
    # A label that the model does not know is in no set but that of all classes.
    return np.where(column >= 0, gathered[np.arange(len(column)), column], BEYOND)


def calibrate_regression(truth: Floats, predicted: Floats, coverage: float = 0.9) -> Conformal:
    """Learn how far from the prediction the truth lies.

    Args:
        truth, predicted: (n,) of rows that the model was not fitted on.
        coverage: the share of future intervals that are to hold the truth, between 0 and 1.

    Raises:
        TooFewRows: with so few rows no interval can promise this coverage.
    """
    return calibration(regression_scores(truth, predicted)).at(coverage)


def intervals(predicted: Floats, conformal: Conformal) -> tuple[Floats, Floats]:
    """Lower and upper ends (n,) around the predictions (n,)."""
    return predicted - conformal.radius, predicted + conformal.radius


def calibrate_classes(
    truth: npt.NDArray[Any], probabilities: Floats, classes: Sequence[str], coverage: float = 0.9
) -> Conformal:
    """Learn how much probability has to be gathered, the likeliest class first, to hold the true one.

    Args:
        truth: (n,) labels of rows that the model was not fitted on. probabilities: (n, k).

    Raises:
        TooFewRows: as in ``calibrate_regression``.
    """
    return calibration(class_scores(truth, probabilities, classes)).at(coverage)


def class_sets(probabilities: Floats, classes: Sequence[str], conformal: Conformal) -> list[list[str]]:
    """For each row the classes that cannot be ruled out, the likeliest first; never empty."""
    inside = inside_sets(probabilities, conformal)
    order = np.argsort(-probabilities, axis=1, kind="stable")
    return [
        [classes[i] for i in row if keeps[i]]
        for row, keeps in zip(order.tolist(), inside.tolist(), strict=True)
    ]


def inside_sets(probabilities: Floats, conformal: Conformal) -> npt.NDArray[np.bool_]:
    """Which classes are in each row's set: (n, k)."""
    inside = _gathered(probabilities) <= conformal.radius + 1e-12
    inside[np.arange(len(inside)), probabilities.argmax(axis=1)] = True
    return inside


def set_coverage(
    truth: npt.NDArray[Any], probabilities: Floats, classes: Sequence[str], conformal: Conformal
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Whether each row's set holds the true label, and how many classes are in it: (n,) each."""
    inside, column = inside_sets(probabilities, conformal), _columns_of(truth, classes)
    return (column >= 0) & inside[np.arange(len(column)), column], inside.sum(axis=1)


def _columns_of(truth: npt.NDArray[Any], classes: Sequence[str]) -> npt.NDArray[np.int64]:
    """The place of each label among the classes, -1 where it is none of them."""
    codes, labels = pd.factorize(np.asarray(truth, dtype=object), use_na_sentinel=False)
    place = {label: i for i, label in enumerate(classes)}
    return np.asarray([place.get(str(label), -1) for label in labels], dtype=np.int64)[codes]


def _gathered(probabilities: Floats) -> Floats:
    """For each class, the sum of the probabilities of the likelier ones: (n, k)."""
    if probabilities.shape[1] == 2:  # the first goes first where both are as likely
        first = probabilities[:, 0] >= probabilities[:, 1]
        return np.column_stack(
            [np.where(first, 0.0, probabilities[:, 1]), np.where(first, probabilities[:, 0], 0.0)]
        )
    order = np.argsort(-probabilities, axis=1, kind="stable")
    sorted_shares = np.take_along_axis(probabilities, order, axis=1)
    sums = np.cumsum(sorted_shares, axis=1) - sorted_shares
    gathered = np.empty_like(sums)
    np.put_along_axis(gathered, order, sums, axis=1)
    return gathered


def _ceil(value: float) -> int:
    return math.ceil(round(value, 9))  # 0.9 / (1 - 0.9) is 9, whatever binary fractions make of it
