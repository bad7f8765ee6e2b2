"""From a classifier's scores to honest probabilities and to a decision, learnt from rows it had not seen."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from registry.problems.class_metrics import label_scores

Floats = npt.NDArray[np.float64]
LABEL_METRICS = Literal["f1", "accuracy", "balanced_accuracy", "precision", "recall", "mcc"]
MOST_THRESHOLDS = 500
CORRECTION_FOLDS = 5
Cost = Annotated[float, Meta(ge=0, le=1e9)]


class Costs(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What each kind of answer costs, in one unit; ``positive`` is the class that is looked for."""

    positive: str
    false_positive: Cost = 1.0
    false_negative: Cost = 1.0
    true_positive: Cost = 0.0
    true_negative: Cost = 0.0


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From which probability on the answer is "yes": what makes a metric best, or costs the least."""

    metric: LABEL_METRICS | None = None
    costs: Costs | None = None


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How probabilities are corrected, and how they become an answer.

    ``auto`` takes the correction that makes unseen rows likeliest, or none where none does.
    """

    calibrate: Literal["none", "isotonic", "sigmoid", "auto"] = "none"
    threshold: Threshold | None = None

    @property
    def is_needed(self) -> bool:
        """Whether anything differs from taking the likeliest class as it is."""
        return self.calibrate != "none" or self.threshold is not None


class Decider:
    """A fitted decision: ``calibrated`` corrects probabilities (n, k), ``labels`` answers.

    Attributes:
        classes: the k labels. positive: place of the class looked for. threshold: from which of its
            probabilities on it is the answer; None where the likeliest class is.
    """

    def __init__(
        self,
        classes: Sequence[str],
        calibrators: Sequence[Any] | None = None,
        positive: int = 1,
        threshold: float | None = None,
    ) -> None:
        self.classes = np.asarray(classes, dtype=object)
        self.calibrators = calibrators
        self.positive = positive
        self.threshold = threshold

    def calibrated(self, probabilities: Floats) -> Floats:
        """Corrected probabilities, the same shape; each row sums to 1."""
        if self.calibrators is None:
            return probabilities
        if len(self.classes) == 2:
            yes = self.calibrators[0](probabilities[:, 1])
            return np.column_stack([1 - yes, yes])
        columns = [fix(probabilities[:, place]) for place, fix in enumerate(self.calibrators)]
        corrected = np.column_stack(columns)
        return np.asarray(corrected / corrected.sum(axis=1, keepdims=True), dtype="float64")

    def labels(self, probabilities: Floats) -> npt.NDArray[Any]:
        """The answers to corrected probabilities."""
        if self.threshold is None:
            return np.asarray(self.classes[probabilities.argmax(axis=1)])
        yes = probabilities[:, self.positive] >= self.threshold
        return np.asarray(self.classes[np.where(yes, self.positive, 1 - self.positive)])


def fit_decider(
    probabilities: Floats, truth: npt.NDArray[Any], classes: Sequence[str], how: Decision
) -> Decider:
    """Learn the correction, then the threshold, from rows that the classifier had not seen.

    Args:
        probabilities: (n, k) out of fold, columns in the order of ``classes``.
        truth: (n,) labels.
    """
    chosen: str = how.calibrate
    if chosen == "auto":
        chosen = best_correction(probabilities, truth, classes)
    decider = _corrector(probabilities, truth, classes, chosen)
    if how.threshold is not None:
        if how.threshold.costs is not None:
            decider.positive = list(classes).index(how.threshold.costs.positive)
        yes = decider.calibrated(probabilities)[:, decider.positive]
        decider.threshold = _best_threshold(yes, truth == classes[decider.positive], how.threshold)
    return decider


def best_correction(probabilities: Floats, truth: npt.NDArray[Any], classes: Sequence[str]) -> str:
    """``none``, ``sigmoid`` or ``isotonic``: which has the least log loss on rows that did not teach it.

    A correction must earn more than its mean gain's standard error, or the probabilities stay as they are.

    Args:
        probabilities: (n, k) out of fold, columns in the order of ``classes``. truth: (n,) labels.
    """
    places = np.searchsorted(np.asarray(classes, dtype=str), truth.astype(str))
    rarest = int(np.bincount(places, minlength=len(classes)).min())
    if rarest < CORRECTION_FOLDS:
        return "none"
    best, best_gain = "none", 0.0
    before = _surprise(probabilities, places)
    for how in ("sigmoid", "isotonic"):
        after = np.empty(len(places))
        parts = StratifiedKFold(CORRECTION_FOLDS, shuffle=True, random_state=0)
        for rows, test in parts.split(probabilities, places):
            fitted = _corrector(probabilities[rows], truth[rows], classes, how)
            after[test] = _surprise(fitted.calibrated(probabilities[test]), places[test])
        gains = before - after
        gain = float(gains.mean() - gains.std() / np.sqrt(len(gains)))
        if gain > best_gain:
            best, best_gain = how, gain
    return best


def _surprise(probabilities: Floats, places: npt.NDArray[np.intp]) -> Floats:
    """Minus the logarithm of the true class's probability, (n,)."""
    given = probabilities[np.arange(len(places)), places]
    return np.asarray(-np.log(np.clip(given, 1e-6, 1.0)))


def _corrector(probabilities: Floats, truth: npt.NDArray[Any], classes: Sequence[str], how: str) -> Decider:
    decider = Decider(classes)
    if how != "none":
        columns = [1] if len(classes) == 2 else range(len(classes))
        decider.calibrators = [
            _calibrator(how, probabilities[:, place], truth == classes[place]) for place in columns
        ]
    return decider


class Sigmoid:
    """Platt's scaling (1999): a logistic curve over the log-odds."""

    def __init__(self, slope: float, shift: float) -> None:
        self.slope, self.shift = slope, shift

    def __call__(self, probability: Floats) -> Floats:
        """Corrected probabilities, (n,)."""
        return np.asarray(1 / (1 + np.exp(-(self.slope * _log_odds(probability) + self.shift))))


class Isotonic:
    """A rising staircase (Zadrozny and Elkan 2002), never quite 0 or 1: so few rows prove no certainty."""

    def __init__(self, stairs: IsotonicRegression, margin: float) -> None:
        self.stairs, self.margin = stairs, margin

    def __call__(self, probability: Floats) -> Floats:
        """Corrected probabilities, (n,)."""
        return np.asarray(np.clip(self.stairs.predict(probability), self.margin, 1 - self.margin))


def _calibrator(how: str, probability: Floats, is_class: npt.NDArray[np.bool_]) -> Sigmoid | Isotonic:
    if how == "isotonic":
        stairs = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
        return Isotonic(stairs.fit(probability, is_class.astype("float64")), 1 / (len(probability) + 2))
    odds = _log_odds(probability)[:, None]
    fitted = LogisticRegression(C=1e4).fit(odds, is_class)
    return Sigmoid(float(fitted.coef_[0, 0]), float(fitted.intercept_[0]))


def _log_odds(probability: Floats) -> Floats:
    inside = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(inside / (1 - inside)))


def _best_threshold(yes: Floats, truth: npt.NDArray[np.bool_], wanted: Threshold) -> float:
    """The threshold with the best value; of equals the one nearest to one half."""
    seen = np.unique(yes)
    between = np.concatenate([seen[:1], (seen[1:] + seen[:-1]) / 2])
    if len(between) > MOST_THRESHOLDS:
        between = between[np.linspace(0, len(between) - 1, MOST_THRESHOLDS).round().astype(int)]
    values = np.array([_worth(_counts(yes >= at, truth), wanted) for at in between])
    best = np.flatnonzero(values >= values.max() - 1e-12)
    return float(between[best[np.abs(between[best] - 0.5).argmin()]])


def _counts(answer: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Confusion matrix [[tn, fp], [fn, tp]]."""
    return np.bincount(2 * truth + answer, minlength=4).reshape(2, 2)


def _worth(counts: npt.NDArray[np.int64], wanted: Threshold) -> float:
    if wanted.costs is not None:
        costs = wanted.costs
        price = [[costs.true_negative, costs.false_positive], [costs.false_negative, costs.true_positive]]
        return -float((counts * np.array(price)).sum())
    return label_scores(counts)[wanted.metric or "f1"]
