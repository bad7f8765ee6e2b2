"""Trees of any library as one ONNX node.

The operator TreeEnsemble of ai.onnx.ml 5 compares and adds in 64 bits; its predecessors answer in 32. A leaf
holds one number there, so a forest that answers with several stands in the graph once for each.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import numpy_helper

from registry.inference.errors import NoTwin
from registry.inference.trees import MOST_NODES, Members, Tree
from training.twins.graph import ML, Graph

Node = tuple[int, float, int, int, float, bool]
SUM = 1
LEQ, LESS, MEMBER = 0, 1, 6


def forest(
    graph: Graph, x: str, trees: Sequence[Tree], outputs: Sequence[int], width: int, *, strict: bool = False
) -> str:
    """The sums (n, width) of the trees' answers.

    Args:
        outputs: for each tree, where its leaves' first number is added; further ones follow.

    Raises:
        NoTwin: there are too many nodes.
    """
    parts = [
        (tree, place, target + place)
        for place in range(max(tree.leaf.shape[1] for tree in trees))
        for tree, target in zip(trees, outputs, strict=True)
        if place < tree.leaf.shape[1]
    ]
    if sum(len(tree.left) for tree, _, _ in parts) > MOST_NODES:
        raise NoTwin(f"Its trees have more than {MOST_NODES:,} nodes.")
    nodes = _Nodes()
    for tree, place, target in parts:
        nodes.add(tree, place, target)
    return graph.add("TreeEnsemble", x, domain=ML, **nodes.attributes(width, LESS if strict else LEQ))


class _Nodes:
    """The operator's attributes: splits and leaves are numbered apart, over all trees."""

    def __init__(self) -> None:
        self._parts: dict[str, list[npt.NDArray[Any]]] = {}
        self._splits = self._leaves = 0
        self._roots: list[int] = []
        self._members: list[Sequence[float]] = []

    def add(self, tree: Tree, place: int, target: int) -> None:
        tree = _with_a_split(tree)
        split, leaf = np.flatnonzero(tree.left >= 0), np.flatnonzero(tree.left < 0)
        place_of = np.empty(len(tree.left), dtype="int64")
        place_of[split] = self._splits + np.arange(len(split))
        place_of[leaf] = self._leaves + np.arange(len(leaf))
        left, right = tree.left[split], tree.right[split]
        missing = np.zeros(len(tree.left), bool) if tree.missing_left is None else tree.missing_left
        self._members += [tree.members[node] for node in split.tolist() if node in tree.members]
        added = {
            "is_set": np.isin(split, list(tree.members)),
            "nodes_featureids": tree.feature[split],
            "nodes_splits": tree.threshold[split],
            "nodes_truenodeids": place_of[left],
            "nodes_falsenodeids": place_of[right],
            "nodes_trueleafs": (tree.left[left] < 0).astype("int64"),
            "nodes_falseleafs": (tree.left[right] < 0).astype("int64"),
            "nodes_missing_value_tracks_true": missing[split].astype("int64"),
            "leaf_targetids": np.full(len(leaf), target),
            "leaf_weights": tree.leaf[leaf, place],
        }
        for name, values in added.items():
            self._parts.setdefault(name, []).append(values)
        self._roots.append(self._splits)  # the root is the first of its tree's splits
        self._splits += len(split)
        self._leaves += len(leaf)

    def attributes(self, width: int, mode: int) -> dict[str, Any]:
        whole = {name: np.concatenate(parts) for name, parts in self._parts.items()}
        tensors = {
            "nodes_splits": whole.pop("nodes_splits"),
            "leaf_weights": whole.pop("leaf_weights"),
            "nodes_modes": np.where(whole.pop("is_set"), MEMBER, mode).astype("uint8"),
        }
        if self._members:  # one set after the other, each ended by NaN
            tensors["membership_values"] = np.array([it for one in self._members for it in (*one, np.nan)])
        return {
            "aggregate_function": SUM,
            "n_targets": width,
            "post_transform": 0,
            "tree_roots": self._roots,
            **{name: values.tolist() for name, values in whole.items()},
            **{name: numpy_helper.from_array(np.ascontiguousarray(v)) for name, v in tensors.items()},
        }


def _with_a_split(tree: Tree) -> Tree:
    """A tree of a single leaf as a split with that leaf on either side: the operator's roots are splits."""
    if tree.left[0] >= 0:
        return tree
    return Tree(
        feature=np.array([0, 0, 0]),
        threshold=np.zeros(3),
        left=np.array([1, -1, -1]),
        right=np.array([2, -1, -1]),
        leaf=np.repeat(tree.leaf[:1], 3, axis=0),
    )


def listed_tree(nodes: Iterable[Node], members: Members | None = None) -> Tree:
    """A tree from (feature, threshold, left, right, leaf, missing_left) of each node, and sets by place."""
    feature, threshold, left, right, leaf, missing = (np.array(one) for one in zip(*nodes, strict=True))
    return Tree(
        feature.astype("int64"),
        threshold.astype("float64"),
        left.astype("int64"),
        right.astype("int64"),
        leaf.astype("float64")[:, None],
        missing.astype(bool),
        members or {},
    )
