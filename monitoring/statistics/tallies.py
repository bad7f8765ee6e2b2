"""What has to be known of answers and outcomes to tell their quality: sums and counts that add up.

A tally is a nested mapping of numbers, safe for JSON. Those of two sets of rows added give that of both, and
subtracted take one away again: so an hour's rows are read once, and any stretch of hours is a sum. What sums
cannot tell is counted on fine bins: areas under curves on bins of the log odds, the median error on bins of
its logarithm.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[Any]
Tally = dict[str, Any]

ODDS_BINS_A_UNIT, LARGEST_ODDS = 40, 12.0  # of the natural log odds; beyond, all are alike
ERROR_BINS_A_DECADE = 50
SURENESS_BINS = 15  # as of the expected calibration error in ``registry.problems``


def added(one: Mapping[str, Any], other: Mapping[str, Any], *, times: int = 1) -> Tally:
    """Return the tally of both, or with ``times=-1`` the first without the second; no zeros are kept."""
    total: Tally = {}
    add_to(total, one)
    add_to(total, other, times=times)
    return total


def add_to(total: Tally, other: Mapping[str, Any], *, times: int = 1) -> None:
    """Add the other tally to the first, or with ``times=-1`` take it away; no zeros are kept.

    It costs what the other holds, however much the first does: so hours are added up.
    """
    for name, value in other.items():
        if isinstance(value, dict):  # an abstract Mapping takes twice as long to tell, and there are many
            left: Any = total.setdefault(name, {})
            add_to(left, value, times=times)
        else:
            left = total[name] = total.get(name, 0) + times * value
        if not left:
            del total[name]


def tally_of_labels(
    truth: Labels, answered: Labels, probabilities: Floats | None = None, classes: Sequence[str] = ()
) -> Tally:
    """Return the tally of a classifier's answers.

    ``confusion`` counts answers by truth; ``chances`` holds of the rows with probabilities: their number, the
    sums of log loss and Brier score, the sureness of the answers by bins, and for each class the log odds it
    was given, of its own rows (``own``) and of the others (``other``).

    Args:
        truth, answered: (n,) labels.
        probabilities: (n, k), or None; rows with NaN have none.
        classes: the k labels of the columns.
    """
    tally: Tally = {"rows": len(truth), "confusion": _confusion(truth, answered)} if len(truth) else {}
    if probabilities is None or not len(truth):
        return tally
    known = np.isfinite(probabilities).all(axis=1)
    if known.any():
        tally["chances"] = _chances(truth[known], probabilities[known], classes)
    return tally


def tally_of_scores(truth: Labels, flagged: npt.NDArray[np.bool_], scores: Floats, positive: str) -> Tally:
    """Return the tally of a detector: ``confusion``, and its scores in (0, 1) as ``chances`` of ``positive``.

    Args:
        truth: (n,) labels, of which one is ``positive``.
        flagged: (n,) whether the row was flagged.
        scores: (n,) how unusual the row is.
    """
    if not len(truth):
        return {}
    is_positive = truth == positive
    words = np.array(["", positive], dtype=object)
    confusion = _confusion(words[is_positive.astype(int)], words[flagged.astype(int)])
    return {
        "rows": len(truth),
        "confusion": confusion,
        "chances": {"classes": {positive: _by_odds(scores, is_positive)}},
    }


def tally_of_numbers(truth: Floats, found: Floats) -> Tally:
    """Return the tally of a regression's answers, (n,) each: powers of errors and targets, sizes of errors.

    ``relative`` is the sum of the errors over the targets' sizes, ``zeros`` how many targets have none.
    """
    if not len(truth):
        return {}
    errors = np.asarray(found - truth, dtype="float64")
    sizes, away = np.abs(errors), truth != 0
    relative = sizes[away] / np.abs(truth[away])
    return {
        "rows": len(truth),
        "error": float(errors.sum()),
        "absolute": float(sizes.sum()),
        "squares": float((errors**2).sum()),
        "fourths": float((errors**4).sum()),
        "truth": float(truth.sum()),
        "truth_squares": float((truth**2).sum()),
        "relative": float(relative.sum()),
        "relative_squares": float((relative**2).sum()),
        "zeros": int((~away).sum()),
        "sizes": _counted(_size_bins(sizes)),
    }


def size_of_bin(place: int) -> float:
    """Return the size of error in the middle of this bin of ``sizes``."""
    return 0.0 if place == -10_000 else float(10 ** ((place + 0.5) / ERROR_BINS_A_DECADE))


def _confusion(truth: Labels, answered: Labels) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    pairs = Counter(zip(map(str, truth.tolist()), map(str, answered.tolist()), strict=True))
    for (true, answer), number in sorted(pairs.items()):
        counts.setdefault(true, {})[answer] = number
    return counts


def _chances(truth: Labels, probabilities: Floats, classes: Sequence[str]) -> Tally:
    own = truth[:, None] == np.asarray(classes, dtype=object)[None, :]
    unknown = 1.0 - own.sum(axis=1)
    of_truth = np.clip((probabilities * own).sum(axis=1), np.finfo("float64").eps, 1.0)
    brier = ((probabilities - own) ** 2).sum(axis=1) + unknown
    return {
        "rows": len(truth),
        "log_loss": float(-np.log(of_truth).sum()),
        "log_loss_squares": float((np.log(of_truth) ** 2).sum()),
        "brier": float(brier.sum()),
        "brier_squares": float((brier**2).sum()),
        "sureness": _sureness(probabilities, own),
        "classes": {
            str(label): _by_odds(probabilities[:, place], own[:, place])
            for place, label in enumerate(classes)
        },
    }


def _sureness(probabilities: Floats, own: npt.NDArray[np.bool_]) -> Tally:
    answer = probabilities.argmax(axis=1)
    rows = np.arange(len(answer))
    sure, right = probabilities[rows, answer], own[rows, answer]
    place = np.minimum((sure * SURENESS_BINS).astype(int), SURENESS_BINS - 1)
    counts = np.bincount(place, minlength=SURENESS_BINS)
    said = np.bincount(place, sure, SURENESS_BINS)
    came = np.bincount(place, right, SURENESS_BINS)
    return {
        str(i): {"rows": int(counts[i]), "said": float(said[i]), "right": int(came[i])}
        for i in np.flatnonzero(counts)
    }


def _by_odds(scores: Floats, own: npt.NDArray[np.bool_]) -> Tally:
    with np.errstate(divide="ignore"):
        odds = np.log(scores) - np.log1p(-np.minimum(scores, 1.0))
    place = np.floor(np.clip(odds, -LARGEST_ODDS, LARGEST_ODDS) * ODDS_BINS_A_UNIT).astype(int)
    return {"own": _counted(place[own]), "other": _counted(place[~own])}


def _size_bins(sizes: Floats) -> npt.NDArray[np.int64]:
    bins = np.full(sizes.shape, -10_000)
    some = sizes > 0
    bins[some] = np.floor(np.log10(sizes[some]) * ERROR_BINS_A_DECADE).astype(int)
    return bins


def _counted(places: npt.NDArray[Any]) -> dict[str, int]:
    found, numbers = np.unique(places, return_counts=True)
    return {str(int(place)): int(number) for place, number in zip(found, numbers, strict=True)}
