"""Minimal cost-complexity pruning (Breiman, Friedman, Olshen and Stone 1984, chapter 3)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.algorithms.reference.growing import LEAF, Ints, Nodes
from training.algorithms.reference.impurity import Floats


@dataclass(frozen=True)
class PruningPath:
    """Costs of a leaf, rising, at which the tree shrinks, and what the tree is then: (steps,) each."""

    alphas: Floats
    impurities: Floats
    leaves: Ints


def prune(nodes: Nodes, alpha: float) -> Nodes:
    """The smallest subtree that minimises impurity + alpha * leaves."""
    kept = _Branches(nodes)
    while (weakest := kept.weakest()) is not None and weakest[1] <= alpha:
        kept.cut(weakest[0])
    return kept.tree()


def pruning_path(nodes: Nodes) -> PruningPath:
    """Every tree that pruning passes through, from the full one to the root alone."""
    kept = _Branches(nodes)
    steps = [(0.0, kept.cost[0], kept.leaves[0])]
    while (weakest := kept.weakest()) is not None:
        kept.cut(weakest[0])
        steps.append((weakest[1], kept.cost[0], kept.leaves[0]))
    alphas, impurities, leaves = zip(*steps, strict=True)
    return PruningPath(np.maximum.accumulate(alphas), np.array(impurities), np.array(leaves))


class _Branches:
    """The cost and the leaves of each node's branch, kept true while branches are cut."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes = nodes
        self.alone = nodes.impurity * nodes.counts.sum(axis=1) / nodes.counts[0].sum()
        self.cost, self.leaves = self.alone.copy(), np.ones(len(self.alone), dtype=np.int64)
        self.inner: npt.NDArray[np.bool_] = ~nodes.is_leaf
        self.parent = np.full(len(self.alone), LEAF)
        for node in np.flatnonzero(self.inner)[::-1]:  # children come after their parent
            sides = [nodes.left[node], nodes.right[node]]
            self.parent[sides] = node
            self.cost[node], self.leaves[node] = self.cost[sides].sum(), self.leaves[sides].sum()

    def weakest(self) -> tuple[int, float] | None:
        """The branch that saves least for each of its leaves, and what a leaf must cost to cut it."""
        inner = np.flatnonzero(self.inner)
        if not len(inner):
            return None
        saved = (self.alone[inner] - self.cost[inner]) / (self.leaves[inner] - 1)
        place = int(saved.argmin())
        return int(inner[place]), max(float(saved[place]), 0.0)

    def cut(self, node: int) -> None:
        """Make the node a leaf and tell the nodes above it."""
        cost, leaves = self.alone[node] - self.cost[node], 1 - self.leaves[node]
        self._forget_below(node)
        while node != LEAF:
            self.cost[node] += cost
            self.leaves[node] += leaves
            node = int(self.parent[node])

    def tree(self) -> Nodes:
        """What is left, with the nodes numbered anew in their old order."""
        nodes = self.nodes
        alive, waiting = [], [0]
        while waiting:
            node = waiting.pop()
            alive.append(node)
            if self.inner[node]:
                waiting += [int(nodes.right[node]), int(nodes.left[node])]
        old = np.array(sorted(alive))
        new = np.full(len(nodes.left), LEAF)
        new[old] = np.arange(len(old))
        inner = self.inner[old]
        return Nodes(
            left=np.where(inner, new[nodes.left[old]], LEAF),
            right=np.where(inner, new[nodes.right[old]], LEAF),
            feature=np.where(inner, nodes.feature[old], LEAF),
            threshold=np.where(inner, nodes.threshold[old], np.nan),
            counts=nodes.counts[old],
            impurity=nodes.impurity[old],
            depth=nodes.depth[old],
        )

    def _forget_below(self, node: int) -> None:
        waiting = [node]
        while waiting:
            here = waiting.pop()
            if self.inner[here]:
                self.inner[here] = False
                waiting += [int(self.nodes.left[here]), int(self.nodes.right[here])]
