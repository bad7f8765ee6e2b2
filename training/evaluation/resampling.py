"""Confidence intervals of every metric at once, by a bootstrap that costs little on many rows.

A resample is a row of weights: how often each held-out row was drawn (Efron and Tibshirani 1993, ch. 13).
Each metric is then a sum over weighted rows. A metric of labels alone asks only how many rows fell into each
cell of the confusion matrix, and that is one multinomial draw over the cells, whatever the number of rows.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from registry.problems import Predictions, ProblemType
from registry.problems.areas import macro_areas
from training.evaluation.coded import ClassAnswers, NumberAnswers, coded

Floats = npt.NDArray[np.float64]
Ends = tuple[float, float]

MOST, FEWEST, CELLS = 500, 100, 1_000_000  # resamples; rows drawn in all of them
CELLS_AT_ONCE = 1 << 16  # what the processor's own memory holds is added up many times faster
CALIBRATION_BINS = 15
MOST_CLASSES = 10  # beyond, areas of one class against the rest cost more than they tell
LABEL_METRICS = frozenset(
    {
        "accuracy",
        "balanced_accuracy",
        "precision",
        "recall",
        "f1",
        "precision_weighted",
        "recall_weighted",
        "f1_weighted",
        "mcc",
    }
)


def metric_intervals(
    problem: ProblemType,
    truth: npt.NDArray[Any],
    predictions: Predictions,
    *,
    names: Collection[str] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Ends]:
    """The two-sided percentile interval of each metric; without those that are not defined.

    Args:
        truth: (n,) targets. predictions: of the same rows.
        names: the metrics wanted; all where it is left out.

    Returns:
        Nothing for fewer than two rows, or for a kind of problem whose metrics need no truth.
    """
    answers = coded(problem, np.asarray(truth), predictions)
    if answers is None:
        return {}
    return intervals_of(answers, names=names, confidence=confidence, seed=seed)


def intervals_of(
    answers: ClassAnswers | NumberAnswers,
    *,
    names: Collection[str] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Ends]:
    """The same of answers that were brought to numbers before (see ``coded``)."""
    if len(answers) < 2:
        return {}
    found = resampled(answers, np.random.default_rng(seed), names)
    return {
        name: ends
        for name, values in found.items()
        if (names is None or name in names) and (ends := _ends(values, confidence)) is not None
    }


def scores_of(answers: ClassAnswers | NumberAnswers) -> dict[str, float]:
    """Every metric that is defined: what ``problem.score`` gives, several times faster."""
    if not len(answers):
        return {}
    once = np.ones((1, len(answers)))
    if isinstance(answers, NumberAnswers):
        found = weighted_numbers(answers)(once)
    else:
        found = label_scores(answers, answers.counts()[None, :].astype("float64")) | probability_scores(
            answers, iter([once])
        )
    return {name: float(values[0]) for name, values in found.items() if np.isfinite(values[0])}


def resampled(
    answers: ClassAnswers | NumberAnswers, rng: np.random.Generator, names: Collection[str] | None = None
) -> dict[str, Floats]:
    """The metrics of each of B resamples, (B,) each, NaN where undefined; of labels B is 500."""
    resamples = int(np.clip(CELLS // len(answers), FEWEST, MOST))
    if isinstance(answers, NumberAnswers):
        return _joined(map(weighted_numbers(answers), draws(len(answers), resamples, rng)))
    found = label_scores(answers, _drawn_cells(answers, MOST, rng))
    if names is not None and LABEL_METRICS.issuperset(names):
        return found
    return found | probability_scores(answers, draws(len(answers), resamples, rng))


def draws(rows: int, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """How often each of n rows is drawn, a few lines (b, n) at a time; each line sums to n."""
    at_once = max(1, CELLS_AT_ONCE // rows)
    for done in range(0, resamples, at_once):
        lines = min(at_once, resamples - done)
        places = rng.integers(0, rows, size=(lines, rows)) + rows * np.arange(lines)[:, None]
        counts = np.bincount(places.ravel(), minlength=lines * rows)
        yield counts.reshape(lines, rows).astype("float64")


def label_scores(answers: ClassAnswers, cells: Floats) -> dict[str, Floats]:
    """The metrics of labels for each of B lines of counts (B, cells): see ``ClassAnswers.cells``."""
    kinds = np.eye(len(answers.labels))
    of_truth, of_said = np.divmod(answers.cells, len(answers.labels))
    actual, predicted = cells @ kinds[of_truth], cells @ kinds[of_said]
    hits = cells @ (kinds[of_truth] * kinds[of_said])
    n = actual.sum(axis=1)
    recall, precision = _ratio(hits, actual), _ratio(hits, predicted)
    f1, share = _ratio(2 * hits, actual + predicted), actual / n[:, None]
    seen, true = actual + predicted > 0, actual > 0
    covariance = hits.sum(axis=1) * n - (actual * predicted).sum(axis=1)
    spread = np.sqrt((n**2 - (predicted**2).sum(axis=1)) * (n**2 - (actual**2).sum(axis=1)))
    return {
        "accuracy": hits.sum(axis=1) / n,
        "balanced_accuracy": _mean(recall, true),
        "precision": _mean(precision, seen),
        "recall": _mean(recall, seen),
        "f1": _mean(f1, seen),
        "precision_weighted": (precision * share).sum(axis=1),
        "recall_weighted": (recall * share).sum(axis=1),
        "f1_weighted": (f1 * share).sum(axis=1),
        "mcc": _ratio(covariance, spread),
    }


def weighted_numbers(answers: NumberAnswers) -> Callable[[Floats], dict[str, Floats]]:
    """What gives each metric of a regression for each of B lines of weights (B, n); NaN where undefined."""
    order = np.argsort(np.abs(answers.truth - answers.said), kind="stable")
    target = answers.truth[order]
    errors = np.abs(target - answers.said[order])
    n = len(target)
    centred = target - target.mean()  # the same spread, without large squares that cancel
    relative = errors / np.abs(target) if (target != 0).all() else None

    def scores(weights: Floats) -> dict[str, Floats]:
        drawn = weights[:, order]
        squared = drawn @ errors**2
        spread = drawn @ centred**2 - (drawn @ centred) ** 2 / n
        found = {
            "mae": drawn @ errors / n,
            "rmse": np.sqrt(squared / n),
            "median_absolute_error": _medians(errors, drawn),
            "r2": np.where(spread > 0, 1 - squared / np.where(spread > 0, spread, 1.0), np.nan),
        }
        return found if relative is None else found | {"mape": drawn @ relative / n}

    return scores


def _drawn_cells(answers: ClassAnswers, resamples: int, rng: np.random.Generator) -> Floats:
    shares = answers.counts() / len(answers)
    return rng.multinomial(len(answers), shares, size=resamples).astype("float64")


def probability_scores(answers: ClassAnswers, lines: Iterator[Floats]) -> dict[str, Floats]:
    """The metrics of probabilities for every line of weights; nothing where there are no probabilities."""
    if answers.probabilities is None or answers.column is None:
        return {}
    n, k = answers.probabilities.shape
    columns = np.arange(k)[None, :] == answers.column[:, None]
    is_class = columns.astype("float64")
    of_true = np.clip((answers.probabilities * is_class).sum(axis=1), np.finfo("float64").eps, 1.0)
    squared = ((answers.probabilities - is_class) ** 2).sum(axis=1) + 1.0 - is_class.sum(axis=1)
    sums = np.column_stack([-np.log(of_true), squared / 2 if k == 2 else squared])
    distances = _distances(answers.probabilities, is_class)
    ranked = answers.ranked() if k <= MOST_CLASSES else None

    def scores(weights: Floats) -> dict[str, Floats]:
        loss, brier = (weights @ sums / n).T
        ece = np.abs(weights @ distances).sum(axis=1) / n
        found = {"log_loss": loss, "brier": brier, "ece": ece}
        return found if ranked is None else found | macro_areas(ranked, weights)

    return _joined(map(scores, lines))


def _joined(parts: Iterator[dict[str, Floats]]) -> dict[str, Floats]:
    gathered = list(parts)
    return {name: np.concatenate([part[name] for part in gathered]) for name in gathered[0]}


def _ends(values: Floats, confidence: float) -> Ends | None:
    known = values[np.isfinite(values)]
    if not known.size:
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)


def _distances(probabilities: Floats, is_class: Floats) -> Floats:
    """How much surer than right each row is, in the column of its bin of sureness: (n, bins)."""
    answer = probabilities.argmax(axis=1)
    rows = np.arange(len(answer))
    sureness, right = probabilities[rows, answer], is_class[rows, answer]
    place = np.minimum((sureness * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    distances = np.zeros((len(answer), CALIBRATION_BINS))
    distances[rows, place] = sureness - right
    return distances


def _medians(ordered: Floats, weights: Floats) -> Floats:
    """The median of ascending values (n,) for each line of weights (B, n)."""
    drawn = np.cumsum(weights, axis=1)
    n = len(ordered)
    middle = [ordered[(drawn > place).argmax(axis=1)] for place in ((n - 1) // 2, n // 2)]
    medians: Floats = (middle[0] + middle[1]) / 2
    return medians


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def _mean(values: Floats, counted: npt.NDArray[np.bool_]) -> Floats:
    means: Floats = (values * counted).sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
    return means
