"""How good a model is before anyone knows what was right: estimates, with what they assume.

CBPE (confidence-based performance estimation) takes a classifier's calibrated probabilities at their word:
of answers with probability 0.9, nine in ten are right. It sees harder cases and shifted inputs; it cannot
see that the cases themselves have changed their meaning (concept drift), and is as good as the calibration.

DLE (direct loss estimation) learns on the reference how large the errors are for which inputs, and averages
what it expects over the new inputs. It too assumes that equal inputs have equal errors as before.

Both methods are those of NannyML (J. Białek, W. Kuberski, N. Perrakis and A. Bifet, arXiv:2401.08348, 2024).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.isotonic import IsotonicRegression

from monitoring.statistics.learnable import LearnableColumns

Floats = npt.NDArray[np.float64]
FEWEST_OUTCOMES = 100
LOSSES: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "mae": lambda truth, found: np.abs(truth - found),
    "mse": lambda truth, found: (truth - found) ** 2,
}


class TooFewOutcomes(ValueError):
    """Nothing can be learnt from so few known outcomes."""


@dataclass(frozen=True)
class Calibrator:
    """A class's probabilities put right by isotonic regression on rows whose outcome is known."""

    said: tuple[float, ...]
    happens: tuple[float, ...]

    @classmethod
    def fitted(cls, probabilities: Floats, happened: Floats) -> "Calibrator":
        """Learn from (n,) probabilities of a class and (n,) whether it came true; raises TooFewOutcomes."""
        if len(probabilities) < FEWEST_OUTCOMES:
            raise TooFewOutcomes(
                f"{len(probabilities)} outcomes are known, {FEWEST_OUTCOMES} are needed to calibrate."
            )
        fitted = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(probabilities, happened)
        return cls(
            tuple(float(value) for value in fitted.X_thresholds_),
            tuple(float(value) for value in fitted.y_thresholds_),
        )

    @classmethod
    def of_bins(cls, said: Sequence[float], happened: Sequence[float], rows: Sequence[int]) -> "Calibrator":
        """Learn from a reliability diagram, each bin counting by its rows; raises TooFewOutcomes."""
        if sum(rows) < FEWEST_OUTCOMES:
            raise TooFewOutcomes(
                f"{sum(rows)} outcomes are known, {FEWEST_OUTCOMES} are needed to calibrate."
            )
        fitted = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
        fitted.fit(np.asarray(said), np.asarray(happened), sample_weight=np.asarray(rows))
        return cls(tuple(map(float, fitted.X_thresholds_)), tuple(map(float, fitted.y_thresholds_)))

    def __call__(self, probabilities: Floats) -> Floats:
        """Return (n,) how often the class came true where it was given such a probability."""
        corrected: Floats = np.interp(probabilities, self.said, self.happens)
        return corrected


def calibrated(probabilities: Floats, calibrators: Sequence[Calibrator]) -> Floats:
    """Return (n, k) probabilities, each class put right by its own calibrator, that add up to 1."""
    columns = [calibrator(probabilities[:, i]) for i, calibrator in enumerate(calibrators)]
    corrected = np.column_stack(columns)
    total = corrected.sum(axis=1, keepdims=True)
    # Where no class is thought possible, what the model said is all there is.
    return np.where(total > 0, corrected / np.where(total > 0, total, 1.0), probabilities)


def expected_confusion(probabilities: Floats, answered: npt.NDArray[np.int64]) -> Floats:
    """Return the (k, k) confusion matrix to be expected: rows the true class, columns the answered one.

    Args:
        probabilities: (n, k) calibrated.
        answered: (n,) the place of the class that the model answered with.
    """
    classes = probabilities.shape[1]
    expected = np.zeros((classes, classes))
    for answer in range(classes):
        expected[:, answer] = probabilities[answered == answer].sum(axis=0)
    return expected


def metrics_of_confusion(confusion: Floats) -> dict[str, float]:
    """Return accuracy and macro averages of precision, recall and F1 of a (k, k) confusion matrix.

    Classes without rows and without answers do not count; a share whose denominator is 0 counts as 0, as in
    scikit-learn with ``zero_division=0``. Empty where the matrix is.
    """
    rows = confusion.sum()
    if not rows:
        return {}
    right, true, answered = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    known = (true + answered) > 0
    precision, recall = _share(right, answered)[known], _share(right, true)[known]
    f1 = _share(2 * right, true + answered)[known]
    return {
        "accuracy": float(right.sum() / rows),
        "precision": float(precision.mean()),
        "recall": float(recall.mean()),
        "f1": float(f1.mean()),
    }


def expected_area(probabilities: Floats, scores: Floats) -> float | None:
    """Return the area under the ROC curve to be expected of two classes.

    Each row counts as positive by its calibrated probability and as negative by the rest; the area is that of
    the weighted rows, equal scores counting half. None where one class is not to be expected at all.

    Args:
        probabilities: (n,) calibrated, of the positive class.
        scores: (n,) what the model ranks by.
    """
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    positive, negative = probabilities[order], 1 - probabilities[order]
    begins = np.concatenate([[True], ranked[1:] != ranked[:-1]]) if ranked.size else np.array([], dtype=bool)
    group = np.cumsum(begins) - 1
    up, down = np.bincount(group, positive), np.bincount(group, negative)
    total = up.sum() * down.sum()
    if not total:
        return None
    below = np.cumsum(down) - down
    return float((up * (below + down / 2)).sum() / total)


@dataclass(frozen=True)
class LossEstimator:
    """What loss a regressor's answers are to be expected to have, learnt from the reference."""

    loss: str
    columns: LearnableColumns
    fitted: Any

    @classmethod
    def learnt(cls, features: pd.DataFrame, found: Floats, truth: Floats, *, loss: str) -> "LossEstimator":
        """Learn from (n, d) features, (n,) answers and (n,) outcomes; ``loss`` is a name of ``LOSSES``.

        Raises TooFewOutcomes, and KeyError for an unknown loss.
        """
        if len(features) < FEWEST_OUTCOMES:
            raise TooFewOutcomes(f"{len(features)} outcomes are known, {FEWEST_OUTCOMES} are needed.")
        losses, columns = LOSSES[loss](truth, found), LearnableColumns.of(features)
        model = HistGradientBoostingRegressor(categorical_features="from_dtype", random_state=0)
        return cls(loss, columns, model.fit(_with_answers(columns(features), found), losses))

    def expect(self, features: pd.DataFrame, found: Floats) -> float:
        """Return the mean loss to be expected over (n, d) features and their (n,) answers."""
        expected = self.fitted.predict(_with_answers(self.columns(features), found))
        return float(np.maximum(expected, 0).mean())


def _with_answers(features: pd.DataFrame, found: Floats) -> pd.DataFrame:
    return features.assign(**{"the answer": found})


def _share(part: Floats, whole: Floats) -> Floats:
    shares: Floats = np.divide(part, whole, out=np.zeros_like(part, dtype="float64"), where=whole > 0)
    return shares
