"""Areas under the ROC and the precision-recall curve, for many weightings of the same rows at once.

A weighting says how often each row counts: once for the plain areas, as often as drawn for a bootstrap.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SAME = 1e-12  # so far may two probabilities be from adding up to 1


@dataclass(frozen=True)
class Ranking:
    """The n rows by falling probability of a class: all that the areas need, whatever the rows' weights.

    ``order`` (n,): places of the rows. ``ends``: the last place of each run of ties, None where there are no
    ties. ``is_class`` (n,): 1 for rows of the class, in this order. ``mirrored``: whether the other of two
    classes is ranked the other way round, so that this ranking tells its areas, too.
    """

    order: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64] | None
    is_class: Floats
    mirrored: bool = False


def rankings(probabilities: Floats, is_class: Flags) -> list[Ranking]:
    """One ranking for each class, or one for both of two whose probabilities add up to 1.

    Args:
        probabilities, is_class: (n, k). A row whose class the model does not know is of no class.
    """
    two = is_class.shape[1] == 2
    if two and is_class.any(axis=1).all() and (np.abs(probabilities.sum(axis=1) - 1) <= SAME).all():
        return [_ranking(probabilities[:, 1], is_class[:, 1], mirrored=True)]
    return [_ranking(probabilities[:, i], is_class[:, i]) for i in range(is_class.shape[1])]


def macro_areas(ranked: list[Ranking], weights: Floats) -> dict[str, Floats]:
    """ROC AUC (ties count half) and average precision, each class against the rest.

    Args:
        ranked: see ``rankings``. weights: (B, n), how often each row counts in each of B lines.

    Returns:
        ``roc_auc`` and ``average_precision``, (B,) each: the mean over the classes that some rows and not all
        are of, NaN where there is none.
    """
    pairs = [pair for one in ranked for pair in _areas(one, weights)]
    roc, precise = (np.stack(part) for part in zip(*pairs, strict=True))
    return {"roc_auc": _mean(roc), "average_precision": _mean(precise)}


def _ranking(score: Floats, is_class: Flags, *, mirrored: bool = False) -> Ranking:
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    ends = np.flatnonzero(np.concatenate([ordered[1:] != ordered[:-1], [True]]))
    return Ranking(
        order, None if len(ends) == len(order) else ends, is_class[order].astype("float64"), mirrored
    )


def _areas(one: Ranking, weights: Floats) -> list[tuple[Floats, Floats]]:
    drawn = weights[:, one.order]
    seen, found = np.cumsum(drawn, axis=1), np.cumsum(drawn * one.is_class, axis=1)
    if one.ends is not None:
        seen, found = seen[:, one.ends], found[:, one.ends]
    rows, hits = np.diff(seen, axis=1, prepend=0.0), np.diff(found, axis=1, prepend=0.0)
    misses, total, positives = rows - hits, seen[:, -1], found[:, -1]
    negatives = total - positives
    defined = (positives > 0) & (negatives > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        roc = _products(misses, found - hits / 2) / (positives * negatives)
        pairs = [(roc, _products(hits, _share(found, seen)) / positives)]
        if one.mirrored:  # from the last row up, the other class's rows are the hits
            beyond = (negatives[:, None] - (seen - found)) + misses
            pairs.append((roc, _products(misses, _share(beyond, total[:, None] - seen + rows)) / negatives))
    return [(np.where(defined, area, np.nan), np.where(defined, precise, np.nan)) for area, precise in pairs]


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _products(a: Floats, b: Floats) -> Floats:
    """The sum of a * b in each line."""
    sums: Floats = np.einsum("ij,ij->i", a, b)
    return sums


def _mean(values: Floats) -> Floats:
    known = np.isfinite(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
