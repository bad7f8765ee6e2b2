"""What stands beside an answer for those who ask how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from registry.inference.answers import RowAnswer
from registry.inference.conformal import Calibration, class_sets, intervals

DEFAULT_COVERAGE, LEAST_COVERAGE, MOST_COVERAGE = 0.9, 0.5, 0.99


@dataclass(frozen=True)
class Bounds:
    """The interval that holds the true number, or the classes not ruled out, the likeliest first."""

    interval: tuple[float, float] | None = None
    possible: list[str] | None = None


def bounds_of(answers: Sequence[RowAnswer], calibration: Calibration, coverage: float) -> list[Bounds]:
    """The bounds of each answer that hold the truth at least this often.

    Args:
        answers: numbers, or labels all with probabilities, as the version gave them.
        coverage: between 0 and 1.

    Raises:
        TooFewRows: the calibration's rows cannot promise this coverage.
    """
    learnt = calibration.at(coverage)
    if answers[0].probabilities is None:
        low, high = intervals(np.asarray([answer.value for answer in answers], dtype="float64"), learnt)
        return [Bounds(interval=ends) for ends in zip(low.tolist(), high.tolist(), strict=True)]
    classes = list(answers[0].probabilities)
    shares = np.asarray([list((answer.probabilities or {}).values()) for answer in answers])
    return [Bounds(possible=labels) for labels in class_sets(shares, classes, learnt)]
