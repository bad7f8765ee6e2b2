"""The metrics that an ensemble is chosen by, fast enough for thousands of calls.

They give what ``registry.problems`` gives; a test holds them together.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from registry.problems.class_metrics import label_scores

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


def codes_of(truth: npt.NDArray[Any], classes: Sequence[str]) -> Codes:
    """(n,) places of the labels in ``classes``, which are sorted."""
    return np.searchsorted(np.asarray(classes, dtype=str), truth.astype(str)).astype(np.int64)


def r2(truth: Floats, answer: Floats) -> float:
    """1 less the share of the target's spread that is left; 0 where there is no spread."""
    spread = float(((truth - truth.mean()) ** 2).sum())
    return 1.0 - float(((truth - answer) ** 2).sum()) / spread if spread > 0 else 0.0


def rmse(truth: Floats, answer: Floats) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(((truth - answer) ** 2).mean()))


def mae(truth: Floats, answer: Floats) -> float:
    """Mean absolute error."""
    return float(np.abs(truth - answer).mean())


def log_loss(codes: Codes, answer: Floats) -> float:
    """Mean of minus the logarithm of the true class's probability."""
    given = answer[np.arange(len(codes)), codes]
    return float(-np.log(np.clip(given, np.finfo("float64").eps, 1.0)).mean())


def roc_auc(codes: Codes, answer: Floats) -> float:
    """Area under the curve, each class against the rest, mean over the classes (Mann and Whitney's U)."""
    areas = []
    for place in range(answer.shape[1]):
        yes = codes == place
        count = int(yes.sum())
        if 0 < count < len(codes):
            ranks = rankdata(answer[:, place])
            areas.append((ranks[yes].sum() - count * (count + 1) / 2) / (count * (len(codes) - count)))
        if answer.shape[1] == 2 and areas:
            break  # the other class's curve is this one's mirror image
    return float(np.mean(areas)) if areas else 0.0


def by_label(name: str) -> Callable[[Codes, Floats], float]:
    """A metric of the likeliest labels."""

    def score(codes: Codes, answer: Floats) -> float:
        k = answer.shape[1]
        seen = np.bincount(codes * k + answer.argmax(axis=1), minlength=k * k).reshape(k, k)
        met = (seen.sum(axis=0) + seen.sum(axis=1)) > 0
        return label_scores(seen[met][:, met])[name]

    return score


NUMBERS: Mapping[str, Callable[[Floats, Floats], float]] = {"r2": r2, "rmse": rmse, "mae": mae}
CLASSES: Mapping[str, Callable[[Codes, Floats], float]] = {
    "log_loss": log_loss,
    "roc_auc": roc_auc,
    **{name: by_label(name) for name in ("f1", "accuracy", "balanced_accuracy", "mcc", "f1_weighted")},
}
OBJECTIVES: Mapping[str, tuple[str, ...]] = {
    "classification": tuple(CLASSES),
    "regression": tuple(NUMBERS),
}
