"""Logistic regression by gradient descent, with every step in sight."""

import warnings
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from training.algorithms.reference.descent import Descent, Floats, Problem, descend, sigmoid


class GradientDescentLogisticRegression(ClassifierMixin, BaseEstimator):
    """Logistic regression fitted by proximal gradient descent; more than two classes one against the rest.

    Minimises mean log loss + ((1 - l1_ratio) / 2 * |w|^2 + l1_ratio * |w|_1) / (C * n), which is the cost of
    scikit-learn's ``LogisticRegression(C=C, l1_ratio=l1_ratio)`` divided by C * n, so that both end at the
    same coefficients.

    Args:
        C: inverse of the penalty's strength, greater than 0.
        l1_ratio: 0 for L2, 1 for L1, in between for both.
        normalize: bring inputs to mean 0 and deviation 1 first; ``coef_`` is in the inputs' own units.
        learning_rate: length of a step; None takes the longest that is sure to go down.
        max_iter: most steps.
        tol: stop when a step lowers the cost by less.
        early_stopping: keep ``validation_fraction`` of the rows aside and stop when their loss has not
            fallen for ``n_iter_no_change`` steps.

    Attributes:
        coef_ (k, d), intercept_ (k,): k is 1 for two classes.
        feature_importances_ (d,): mean absolute coefficient of the normalised input, summing to 1.
        cost_history_: the cost before the first and after each step.
        validation_history_: the loss of the rows kept aside, after each step.
        n_iter_: steps taken.
    """

    def __init__(
        self,
        C: float = 1.0,
        l1_ratio: float = 0.0,
        *,
        normalize: bool = True,
        learning_rate: float | None = None,
        max_iter: int = 2000,
        tol: float = 1e-6,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        random_state: Any = None,
    ) -> None:
        self.C = C
        self.l1_ratio = l1_ratio
        self.normalize = normalize
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit on X (n, d) and labels y (n,); warns with ConvergenceWarning where the steps ran out.

        Raises:
            ValueError: parameters out of bounds, or a single class.
        """
        self._check_parameters()
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"Two classes are needed; y has {len(self.classes_)} class.")
        total = float(weight.sum())
        weight = weight / total
        self._set_scale(X, weight)
        found = self._descend((X - self.mean_) / self.scale_, self._targets(codes), weight, total)
        self._keep(found)
        if not found.converged:
            warnings.warn(
                f"No convergence in {self.max_iter} steps: raise max_iter or tol.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def decision_function(self, X: Any) -> Floats:
        """Log odds: (n,) for two classes, else (n, k)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        scores: Floats = X @ self.coef_.T + self.intercept_
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict_proba(self, X: Any) -> Floats:
        """Probabilities (n, classes); with more than two classes the k sigmoids are scaled to sum to 1."""
        chances = sigmoid(self.decision_function(X))
        if chances.ndim == 1:
            return np.column_stack([1 - chances, chances])
        total = chances.sum(axis=1, keepdims=True)
        even = np.full_like(chances, 1 / chances.shape[1])
        return np.asarray(np.divide(chances, total, out=even, where=total > 0))

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The most probable label of each row, (n,)."""
        scores = self.decision_function(X)
        chosen = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        labels: npt.NDArray[Any] = self.classes_[chosen]
        return labels

    # --- One step each of fit ------------------------------------------------------------------
    def _check_parameters(self) -> None:
        if not self.C > 0:
            raise ValueError(f"C must be greater than 0, not {self.C}.")
        if not 0 <= self.l1_ratio <= 1:
            raise ValueError(f"l1_ratio must lie between 0 and 1, not {self.l1_ratio}.")
        if self.learning_rate is not None and not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be greater than 0, not {self.learning_rate}.")

    def _set_scale(self, X: Floats, weight: Floats) -> None:
        self.mean_ = weight @ X if self.normalize else np.zeros(X.shape[1])
        deviation = np.sqrt(weight @ np.square(X - self.mean_)) if self.normalize else np.ones(X.shape[1])
        # A constant input would be divided by (nearly) nothing; it stays at zero.
        flat = deviation <= 10 * np.finfo(np.float64).eps * np.maximum(np.abs(self.mean_), 1)
        self.scale_ = np.where(flat, 1.0, deviation)

    def _targets(self, codes: npt.NDArray[np.int64]) -> Floats:
        if len(self.classes_) == 2:
            return codes[:, None].astype(np.float64)
        return np.eye(len(self.classes_))[codes]

    def _descend(self, X: Floats, Y: Floats, weight: Floats, total: float) -> Descent:
        validation_loss = None
        if self.early_stopping:
            X, held_X, Y, held_Y, weight, held_weight = train_test_split(
                X, Y, weight, test_size=self.validation_fraction, random_state=self.random_state, stratify=Y
            )
            held = Problem(held_X, held_Y, held_weight / held_weight.sum(), 0.0, 0.0)
            validation_loss = held.loss
            weight = weight / weight.sum()
        strength = 1.0 / (self.C * total)
        problem = Problem(X, Y, weight, strength * self.l1_ratio, strength * (1 - self.l1_ratio))
        return descend(
            problem,
            rate=self.learning_rate or problem.safe_rate(),
            max_iter=self.max_iter,
            tol=self.tol,
            validation_loss=validation_loss,
            patience=self.n_iter_no_change,
        )

    def _keep(self, found: Descent) -> None:
        self.coef_ = found.coef.T / self.scale_
        self.intercept_ = found.intercept - self.coef_ @ self.mean_
        size = np.abs(found.coef).mean(axis=1)
        self.feature_importances_ = size / size.sum() if size.sum() > 0 else size
        self.cost_history_ = found.cost_history
        self.validation_history_ = found.validation_history
        self.n_iter_ = len(found.cost_history) - 1
