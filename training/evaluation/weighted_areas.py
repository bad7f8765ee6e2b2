"""Areas under the ROC and the precision-recall curve for many weightings of the same rows at once."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def macro_areas(probabilities: Floats, is_class: npt.NDArray[np.bool_], weights: Floats) -> dict[str, Floats]:
    """ROC AUC and average precision, the mean over the classes that are defined in a line of weights.

    Args:
        probabilities, is_class: (n, k). weights: (B, n).

    Returns:
        ``roc_auc`` and ``average_precision``, (B,) each, NaN where no class is defined.
    """
    pairs = [areas(probabilities[:, i], is_class[:, i], weights) for i in range(is_class.shape[1])]
    roc, precise = (np.stack(part) for part in zip(*pairs, strict=True))
    return {"roc_auc": _mean(roc), "average_precision": _mean(precise)}


def areas(score: Floats, is_class: npt.NDArray[np.bool_], weights: Floats) -> tuple[Floats, Floats]:
    """ROC AUC (ties count half) and average precision of one class for each line of weights (B, n)."""
    order = np.argsort(-score, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(score[order]) != 0]))
    drawn = weights[:, order]
    hits = np.add.reduceat(drawn * is_class[order], starts, axis=1)
    misses = np.add.reduceat(drawn, starts, axis=1) - hits
    found = np.cumsum(hits, axis=1)
    positives, negatives = found[:, -1], misses.sum(axis=1)
    defined = (positives > 0) & (negatives > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        roc = (misses * (found - hits / 2)).sum(axis=1) / (positives * negatives)
        precision = np.nan_to_num(found / (found + np.cumsum(misses, axis=1)))
        precise = (hits * precision).sum(axis=1) / positives
    return np.where(defined, roc, np.nan), np.where(defined, precise, np.nan)


def _mean(values: Floats) -> Floats:
    known = np.isfinite(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
