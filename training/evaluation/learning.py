"""How the score grows with the rows to learn from."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning

from training.evaluation.report import LearningPoint

SHARES = (0.1, 0.25, 0.5)
LEAST_ROWS = 30


def learning_curve(
    score_after: Callable[[npt.NDArray[np.int64]], float | None],
    train: npt.NDArray[np.int64],
    whole: float | None,
    seed: int,
) -> list[LearningPoint]:
    """Points of the curve, each the score on the same test rows after learning from more of ``train``.

    Args:
        score_after: fits on these row positions and scores; None, or a ValueError or ArithmeticError, where
            so few rows cannot be learnt from.
        whole: the score after all of ``train``, which is known already.
    """
    order: Any = np.random.default_rng(seed).permutation(train)
    points = []
    for share in SHARES:
        rows = np.sort(order[: int(share * len(order))])
        if len(rows) < LEAST_ROWS:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                score = score_after(rows)
        except (ValueError, ArithmeticError):
            continue
        if score is not None:
            points.append(LearningPoint(len(rows), score))
    return [*points, LearningPoint(len(train), whole)] if points and whole is not None else []
