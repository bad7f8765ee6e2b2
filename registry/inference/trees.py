"""Fitted trees of any library as plain arrays, and a walk through many of them at once.

scikit-learn asks a forest tree by tree and checks the rows each time: for one row nearly all of the time goes
into that. Here all trees lie in the same flat arrays, and each step takes every row one level down in every
tree, so that a level costs seven operations of numpy whatever there is of rows and trees.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from registry.inference.errors import NoTwin

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Members = Mapping[int, Sequence[float]]
MOST_NODES = 3_000_000
UNKNOWN = -1.0  # the code of a category that the preparation did not know


@dataclass(frozen=True)
class Tree:
    """Nodes in arrays, the root first; ``left`` is -1 at leaves.

    A row goes left where its value is at most the threshold (less than it, for ``strict``), and where it is
    missing and ``missing_left``. ``leaf`` (nodes, outputs) holds the answers. At a node of ``members`` a row
    goes left where its value is one of them.
    """

    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    leaf: Floats
    missing_left: npt.NDArray[np.bool_] | None = None
    members: Members = field(default_factory=dict)


def sklearn_tree(tree: Any, leaf: Floats, features: Ints | None = None) -> Tree:
    """A ``tree_`` of scikit-learn; ``leaf`` (nodes, outputs); ``features``: the columns that it saw."""
    inner = np.maximum(tree.feature, 0)
    return Tree(
        feature=np.asarray(inner if features is None else np.asarray(features)[inner], dtype="int64"),
        threshold=np.asarray(tree.threshold, dtype="float64"),
        left=np.asarray(tree.children_left, dtype="int64"),
        right=np.asarray(tree.children_right, dtype="int64"),
        leaf=leaf,
        missing_left=np.asarray(tree.missing_go_to_left, dtype=bool),
    )


def binned_trees(model: Any) -> list[Tree]:
    """The trees of scikit-learn's histogram gradient boosting, round by round.

    Raises NoTwin where it splits categories by sets that are not its first inputs.
    """
    known = _values_of_sets(model)
    return [
        _binned_tree(one.nodes, one.raw_left_cat_bitsets, known)
        for round_ in model._predictors
        for one in round_
    ]


def _binned_tree(nodes: npt.NDArray[Any], sets: npt.NDArray[np.uint32], known: Sequence[Floats]) -> Tree:
    is_leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        feature=nodes["feature_idx"].astype("int64"),
        threshold=nodes["num_threshold"].astype("float64"),
        left=np.where(is_leaf, -1, nodes["left"].astype("int64")),
        right=np.where(is_leaf, -1, nodes["right"].astype("int64")),
        leaf=nodes["value"].astype("float64")[:, None],
        missing_left=nodes["missing_go_to_left"].astype(bool),
        members={
            int(place): _members(nodes[place], sets, known)
            for place in np.flatnonzero(nodes["is_categorical"].astype(bool) & ~is_leaf)
        },
    )


def _values_of_sets(model: Any) -> list[Any]:
    """The values of each category column by their codes."""
    if model._preprocessor is None:
        return []
    places = np.flatnonzero(model.is_categorical_)
    if not np.array_equal(places, np.arange(len(places))):
        raise NoTwin("Its categories are not its first inputs.")
    return list(model._preprocessor.named_transformers_["encoder"].categories_)


def _members(node: Any, sets: npt.NDArray[np.uint32], known: Sequence[Floats]) -> list[float]:
    """The values that go left: those of the set, and what the fit did not know where missing does."""
    bits = sets[node["bitset_idx"]]
    values = known[node["feature_idx"]]
    chosen = [float(value) for code, value in enumerate(values) if bits[code // 32] >> (code % 32) & 1]
    return [UNKNOWN, *chosen] if node["missing_go_to_left"] else chosen


class Grove:
    """Trees side by side; safe to share between threads.

    Nodes are numbered anew so that the two below a split are neighbours: the way down is ``first`` of the
    node, plus 1 to the right. A leaf leads to itself, since nothing is greater than its infinite threshold.
    """

    def __init__(self, trees: Sequence[Tree]) -> None:
        """Lay the trees out; raises NoTwin where there are too many nodes, or splits by sets."""
        if any(tree.members for tree in trees):
            raise NoTwin("Its trees split categories by sets.")
        sizes = [len(tree.left) for tree in trees]
        if sum(sizes) > MOST_NODES:
            raise NoTwin(f"Its trees have more than {MOST_NODES:,} nodes.")
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype("int64")
        laid = [_laid_out(tree, int(start)) for tree, start in zip(trees, starts, strict=True)]
        self._feature, self._threshold, self._first, self._missing_right, self._leaf = (
            np.concatenate(parts) for parts in zip(*laid, strict=True)
        )
        self._roots = starts[:, None]
        self._depth = self._levels()

    def sums(self, x: Floats, outputs: int = 1) -> Floats:
        """Sums (n, outputs * k) of the trees' answers to rows x (n, d), added in the order of the trees.

        Args:
            outputs: how many numbers the trees answer in turn: tree i adds to number i modulo ``outputs``.
        """
        answers = self._leaf.take(self._leaves(x), axis=0)  # (trees, n, k)
        rows, width = answers.shape[1:]
        by_output = answers.reshape(-1, outputs, rows, width).sum(axis=0)  # (outputs, n, k)
        return np.asarray(by_output.transpose(1, 0, 2).reshape(rows, outputs * width))

    def _leaves(self, x: Floats) -> Ints:
        """The leaf of each row in each tree, (trees, n)."""
        values, starts = x.ravel(), np.arange(len(x)) * x.shape[1]
        some_missing = bool(np.isnan(values).any())
        at = np.repeat(self._roots, len(x), axis=1)
        for _ in range(self._depth):
            found = values.take(self._feature.take(at) + starts)
            right = found > self._threshold.take(at)
            if some_missing:
                right |= np.isnan(found) & self._missing_right.take(at)
            at = self._first.take(at) + right
        return at

    def _levels(self) -> int:
        """How many steps lead from the roots to the deepest leaf."""
        at, levels = self._roots.ravel(), 0
        while len(at := at[self._first[at] != at]):
            at = np.concatenate([self._first[at], self._first[at] + 1])
            levels += 1
        return levels


def _laid_out(tree: Tree, start: int) -> tuple[npt.NDArray[Any], ...]:
    """A tree's feature, threshold, first, missing_right and leaf, its nodes numbered from ``start`` on."""
    count = len(tree.left)
    split = np.flatnonzero(tree.left >= 0)
    place = np.zeros(count, dtype="int64")  # the root stays the first
    place[tree.left[split]] = 1 + 2 * np.arange(len(split))
    place[tree.right[split]] = 2 + 2 * np.arange(len(split))
    feature, threshold = np.zeros(count, dtype="int64"), np.full(count, np.inf)
    first, missing_right = np.arange(count, dtype="int64"), np.zeros(count, dtype=bool)
    feature[place[split]] = tree.feature[split]
    threshold[place[split]] = tree.threshold[split]
    first[place[split]] = place[tree.left[split]]
    if tree.missing_left is not None:
        missing_right[place[split]] = ~tree.missing_left[split]
    leaf = np.empty_like(tree.leaf, dtype="float64")
    leaf[place] = tree.leaf
    return feature, threshold, first + start, missing_right, leaf
