"""Anomaly detectors with one scale of scores and one rule for what is flagged."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from training.algorithms.unsupervised.scale import ScoreScale

Floats = npt.NDArray[np.float64]


class Detector(OutlierMixin, BaseEstimator):
    """Any scikit-learn detector, its scores brought to 0 ... 1 (see ``ScoreScale``).

    Args:
        estimator: the inner detector, unfitted, with ``score_samples`` (larger is more normal).
        contamination: share of the training rows thought to be anomalies; above 0, at most 0.5.
        threshold: score above which a row is flagged; None for ``1 - contamination``.
        max_rows: the inner detector learns from at most so many rows, drawn at random; None for all.
        random_state: for that draw.
    """

    def __init__(
        self,
        estimator: Any,
        contamination: float = 0.05,
        threshold: float | None = None,
        max_rows: int | None = None,
        random_state: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.contamination = contamination
        self.threshold = threshold
        self.max_rows = max_rows
        self.random_state = random_state

    def fit(self, X: Any, y: object = None) -> Self:
        """Fit on X (n, d); raises ValueError for a contamination that is not a share up to one half."""
        if not 0 < self.contamination <= 0.5:
            raise ValueError(f"contamination must be in (0, 0.5], got: {self.contamination}")
        X = validate_data(self, X, ensure_min_samples=2)
        if self.max_rows is not None and len(X) > self.max_rows:
            rows = check_random_state(self.random_state).choice(len(X), self.max_rows, replace=False)
            X = X[np.sort(rows)]
        self.estimator_ = clone(self.estimator).fit(X)
        self.scale_ = ScoreScale(training_scores(self.estimator_, X))
        self.threshold_ = 1 - self.contamination if self.threshold is None else self.threshold
        self.offset_ = -self.threshold_
        return self

    def anomaly_scores(self, X: Any) -> Floats:
        """Scores (n,) between 0 and 1: the share of the training rows that are less unusual."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        return self.scale_(-np.asarray(self.estimator_.score_samples(X), dtype="float64"))

    def score_samples(self, X: Any) -> Floats:
        """The scores negated, (n,): larger is more normal, as everywhere in scikit-learn."""
        return -self.anomaly_scores(X)

    def decision_function(self, X: Any) -> Floats:
        """How far below the threshold the scores are, (n,); negative where a row is flagged."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> npt.NDArray[np.int64]:
        """-1 for an anomaly, 1 for a normal row, (n,)."""
        return np.where(self.decision_function(X) < 0, -1, 1)


class DetectorEnsemble(BaseEstimator):
    """Several detectors asked at once, their scores averaged (Aggarwal and Sathe 2015).

    Args:
        members: unfitted detectors with ``score_samples``.
        combine: "rank" averages each score's rank among the training rows, which no single detector's
            extreme values can dominate; "scale" averages scores divided by their spread, which keeps them.
    """

    def __init__(self, members: Sequence[Any], combine: str = "rank") -> None:
        self.members = members
        self.combine = combine

    def fit(self, X: Any, y: object = None) -> Self:
        """Fit every member on X (n, d)."""
        X = validate_data(self, X, ensure_min_samples=2)
        self.members_ = [clone(member).fit(X) for member in self.members]
        own = [training_scores(member, X) for member in self.members_]
        self.scales_ = [ScoreScale(raw) for raw in own]
        self.centres_ = [float(np.median(raw)) for raw in own]
        self.spreads_ = [_spread(raw) for raw in own]
        # A member may know better than by asking it anew how unusual a row that it learnt from is.
        self.training_scores_ = self._combined(own)
        return self

    def score_samples(self, X: Any) -> Floats:
        """Larger is more normal, (n,)."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        return -self._combined([-np.asarray(member.score_samples(X)) for member in self.members_])

    def _combined(self, raw: Sequence[Floats]) -> Floats:
        if self.combine == "rank":
            parts = [scale(scores) for scale, scores in zip(self.scales_, raw, strict=True)]
        else:
            known = zip(raw, self.centres_, self.spreads_, strict=True)
            parts = [(scores - centre) / spread for scores, centre, spread in known]
        mean: Floats = np.mean(parts, axis=0)
        return mean


def training_scores(fitted: Any, X: Any) -> Floats:
    """How unusual each row that was learnt from is, (n,), larger is more unusual."""
    known = getattr(fitted, "training_scores_", None)
    return -np.asarray(fitted.score_samples(X), dtype="float64") if known is None else known


def _spread(raw: Floats) -> float:
    low, high = np.quantile(raw, [0.25, 0.75])
    return float(high - low) or float(raw.std()) or 1.0
