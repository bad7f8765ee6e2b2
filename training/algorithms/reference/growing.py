"""Growing a tree from its root."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.algorithms.reference.impurity import Floats, Impurity

LEAF = -1
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Limits:
    """Where growing stops; see ``ReferenceDecisionTree``. Raises ValueError for senseless values."""

    max_depth: int | None
    min_samples_split: int
    min_samples_leaf: int
    min_gain: float

    def __post_init__(self) -> None:
        if self.max_depth is not None and self.max_depth < 1:
            raise ValueError(f"max_depth must be at least 1, not {self.max_depth}.")
        if self.min_samples_split < 2 or self.min_samples_leaf < 1 or self.min_gain < 0:
            raise ValueError(
                "min_samples_split is at least 2, min_samples_leaf at least 1, min_gain at least 0."
            )


@dataclass(frozen=True)
class Split:
    """Rows with ``X[:, feature] <= threshold`` go left; ``gain`` is the fall of impurity by it."""

    feature: int
    threshold: float
    gain: float


@dataclass(frozen=True)
class Nodes:
    """A tree as arrays of one entry for each node, the root first. ``left`` and ``right`` of a leaf are -1.

    ``counts`` (nodes, classes): training rows of each class; ``impurity``, ``depth``: (nodes,).
    """

    left: Ints
    right: Ints
    feature: Ints
    threshold: Floats
    counts: Floats
    impurity: Floats
    depth: Ints

    @property
    def is_leaf(self) -> npt.NDArray[np.bool_]:
        """Which nodes have no children, (nodes,)."""
        leaf: npt.NDArray[np.bool_] = self.left == LEAF
        return leaf

    def apply(self, X: Floats) -> Ints:
        """The leaf that each row falls into, (n,)."""
        place = np.zeros(len(X), dtype=np.int64)
        while (moving := ~self.is_leaf[place]).any():
            rows = np.flatnonzero(moving)
            node = place[rows]
            goes_left = X[rows, self.feature[node]] <= self.threshold[node]
            place[rows] = np.where(goes_left, self.left[node], self.right[node])
        return place

    def importances(self, features: int) -> Floats:
        """Each input's share of the fall of impurity over all rows, (features,); all zero for a leaf."""
        inner = np.flatnonzero(~self.is_leaf)
        rows = self.counts.sum(axis=1)
        mixed = rows * self.impurity
        falls = mixed[inner] - mixed[self.left[inner]] - mixed[self.right[inner]]
        total = np.bincount(self.feature[inner], weights=falls, minlength=features)
        return np.asarray(total / total.sum() if total.sum() > 0 else total, dtype=np.float64)


def grow(X: Floats, codes: Ints, classes: int, impurity: Impurity, limits: Limits) -> Nodes:
    """A tree on X (n, d) and class codes (n,), grown depth first.

    Of equally good splits the one on the first input wins, then the one with the lowest threshold.
    """
    onehot = np.eye(classes)[codes]
    rows_of: list[Ints] = [np.arange(len(X))]
    depth, left, right, splits = [0], [LEAF], [LEAF], [Split(LEAF, np.nan, 0.0)]
    waiting = [0]
    while waiting:
        node = waiting.pop()
        rows = rows_of[node]
        split = (
            _best_split(X[rows], onehot[rows], impurity, limits)
            if _may_split(depth[node], len(rows), limits)
            else None
        )
        if split is None:
            continue
        goes_left = X[rows, split.feature] <= split.threshold
        splits[node], left[node], right[node] = split, len(rows_of), len(rows_of) + 1
        for part in (rows[goes_left], rows[~goes_left]):
            rows_of.append(part)
            depth.append(depth[node] + 1)
            left.append(LEAF)
            right.append(LEAF)
            splits.append(Split(LEAF, np.nan, 0.0))
        waiting += [right[node], left[node]]
    counts = np.stack([onehot[rows].sum(axis=0) for rows in rows_of])
    return Nodes(
        left=np.array(left),
        right=np.array(right),
        feature=np.array([split.feature for split in splits]),
        threshold=np.array([split.threshold for split in splits]),
        counts=counts,
        impurity=impurity(counts),
        depth=np.array(depth),
    )


def _may_split(depth: int, rows: int, limits: Limits) -> bool:
    deep = limits.max_depth is not None and depth >= limits.max_depth
    return not deep and rows >= max(limits.min_samples_split, 2 * limits.min_samples_leaf)


def _best_split(X: Floats, onehot: Floats, impurity: Impurity, limits: Limits) -> Split | None:
    counts = onehot.sum(axis=0)
    own = float(impurity(counts))
    if own <= 0:
        return None
    found = [
        split
        for j in range(X.shape[1])
        if (split := _best_of_input(X[:, j], j, onehot, own, impurity, limits))
    ]
    best = max(found, key=lambda split: split.gain, default=None)
    return best if best is not None and best.gain >= limits.min_gain else None


def _best_of_input(
    values: Floats, feature: int, onehot: Floats, own: float, impurity: Impurity, limits: Limits
) -> Split | None:
    """The best threshold of one input: all of them at once, from running class counts over sorted rows."""
    order = np.argsort(values, kind="stable")
    sorted_values = values[order]
    n = len(values)
    # A cut after position i leaves i + 1 rows on the left; only between different values.
    cuts = np.flatnonzero(sorted_values[:-1] < sorted_values[1:])
    cuts = cuts[(cuts + 1 >= limits.min_samples_leaf) & (n - cuts - 1 >= limits.min_samples_leaf)]
    if not len(cuts):
        return None
    running = onehot[order].cumsum(axis=0)
    below, above = running[cuts], running[-1] - running[cuts]
    mixed = (cuts + 1) * impurity(below) + (n - cuts - 1) * impurity(above)
    gains = own - mixed / n
    place = int(gains.argmax())
    low, high = sorted_values[cuts[place]], sorted_values[cuts[place] + 1]
    middle = low / 2 + high / 2  # halves first: the sum of two large numbers could overflow
    return Split(feature, float(middle if low <= middle < high else low), float(gains[place]))
