"""A classification tree (CART) written out in numpy."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from training.algorithms.reference.drawing import draw_tree
from training.algorithms.reference.growing import Limits, Nodes, grow
from training.algorithms.reference.impurity import CRITERIA
from training.algorithms.reference.pruning import PruningPath, prune, pruning_path

Floats = npt.NDArray[np.float64]


class ReferenceDecisionTree(ClassifierMixin, BaseEstimator):
    """Splits where the impurity falls most, and prunes what does not pay for its leaves.

    Args:
        criterion: ``"gini"`` or ``"entropy"`` (information gain, in bits).
        max_depth: longest way from the root to a leaf; None for no limit.
        min_samples_split: fewest rows of a node that is split.
        min_samples_leaf: fewest rows of a leaf.
        min_gain: a split must lower the node's own impurity by at least this much.
        ccp_alpha: minimal cost-complexity pruning (Breiman et al. 1984, chapter 3): what a leaf costs.

    Attributes:
        nodes_: the tree as arrays; the root is node 0.
        feature_importances_ (d,): share of the whole fall of impurity that each input brought.
    """

    def __init__(
        self,
        criterion: str = "gini",
        *,
        max_depth: int | None = None,
        min_samples_split: int = 2,
        min_samples_leaf: int = 1,
        min_gain: float = 0.0,
        ccp_alpha: float = 0.0,
    ) -> None:
        self.criterion = criterion
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_gain = min_gain
        self.ccp_alpha = ccp_alpha

    def fit(self, X: Any, y: Any) -> Self:
        """Fit on X (n, d) and labels y (n,); raises ValueError for parameters out of bounds."""
        self.nodes_ = prune(self._grow(X, y), self.ccp_alpha)
        self.feature_importances_ = self.nodes_.importances(self.n_features_in_)
        return self

    def pruning_path(self, X: Any, y: Any) -> PruningPath:
        """The costs of a leaf at which the full tree on these rows loses a branch, and what is left then."""
        return pruning_path(self._grow(X, y))

    def apply(self, X: Any) -> npt.NDArray[np.int64]:
        """The leaf that each row falls into, (n,)."""
        check_is_fitted(self)
        return self.nodes_.apply(validate_data(self, X, dtype=np.float64, reset=False))

    def predict_proba(self, X: Any) -> Floats:
        """Shares of the classes among the training rows of each row's leaf, (n, classes)."""
        leaves = self.apply(X)
        counts = self.nodes_.counts[leaves]
        shares: Floats = counts / counts.sum(axis=1, keepdims=True)
        return shares

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The most frequent class of each row's leaf, (n,)."""
        leaves = self.apply(X)
        labels: npt.NDArray[Any] = self.classes_[self.nodes_.counts[leaves].argmax(axis=1)]
        return labels

    def draw(self, feature_names: Sequence[str] | None = None, max_depth: int = 4) -> str:
        """The tree's upper ``max_depth`` levels as an SVG picture."""
        check_is_fitted(self)
        names = feature_names or [f"input {j}" for j in range(self.n_features_in_)]
        return draw_tree(self.nodes_, names, [str(label) for label in self.classes_], max_depth)

    def _grow(self, X: Any, y: Any) -> Nodes:
        if self.criterion not in CRITERIA:
            raise ValueError(f"criterion must be one of {', '.join(CRITERIA)}, not {self.criterion!r}.")
        if self.ccp_alpha < 0:
            raise ValueError(f"ccp_alpha must not be negative, but is {self.ccp_alpha}.")
        limits = Limits(self.max_depth, self.min_samples_split, self.min_samples_leaf, self.min_gain)
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        return grow(X, codes, len(self.classes_), CRITERIA[self.criterion], limits)
