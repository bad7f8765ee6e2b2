"""How well scores put the true rows first. Own numpy code, checked against scikit-learn in the tests."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def roc_auc(truth: Mask, scores: Floats) -> float:
    """The share of pairs of a true and a false row in which the true one scores higher; ties count half."""
    order = np.argsort(scores, kind="stable")
    _, start, count = np.unique(scores[order], return_index=True, return_counts=True)
    ranks = np.empty(len(scores))
    ranks[order] = np.repeat(start + (count + 1) / 2, count)
    positives = int(truth.sum())
    below = ranks[truth].sum() - positives * (positives + 1) / 2
    return float(below / (positives * (len(truth) - positives)))


def average_precision(truth: Mask, scores: Floats) -> float:
    """The mean precision at each true row, from the highest score down; equal scores are taken together."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    hits = np.cumsum(truth[order])[last]
    gained = np.diff(hits, prepend=0)
    return float((hits / (last + 1) * gained).sum() / truth.sum())


def at_k(truth: Mask, scores: Floats, k: int) -> tuple[float, float]:
    """Precision and recall among the ``k`` highest scores.

    Where rows tie at the border, each counts with the share of the tied rows that fit in.
    """
    border = np.partition(scores, len(scores) - k)[len(scores) - k]
    above, tied = scores > border, scores == border
    room = (k - int(above.sum())) / int(tied.sum())
    hits = float(truth[above].sum() + room * truth[tied].sum())
    return hits / k, hits / float(truth.sum())
