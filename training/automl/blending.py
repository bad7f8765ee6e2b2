"""The ensemble of a race: chosen on out-of-fold answers, scored on rows that did not choose it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from registry.problems import Metric
from training.automl.ensemble import MOST_ROWS, as_predictions, blended, choose_members, cross_fitted, raw
from training.automl.scoring import CLASSES, NUMBERS, codes_of
from training.automl.search import decided, scored
from training.automl.trials import TrialResult, ensemble_of

if TYPE_CHECKING:
    from training.automl.race import Field

MOST_RIVALS = 20


def blend(
    ranked: Sequence[TrialResult],
    field: "Field",
    metric: Metric,
    seconds: float,
    refit: Callable[[TrialResult], float],
) -> TrialResult | None:
    """The ensemble of the best trials as a trial of its own, or None where there is nothing to join.

    Args:
        ranked: the best first. seconds: what fitting the members on all rows may take together, one core.
        refit: seconds that fitting one trial's model on all rows takes.
    """
    rivals = [one for one in ranked if one.out_of_fold is not None and refit(one) < seconds][:MOST_RIVALS]
    if len(rivals) < 2:
        return None
    answers = [raw(one.out_of_fold) for one in rivals if one.out_of_fold is not None]
    classes = rivals[0].out_of_fold.classes if rivals[0].out_of_fold is not None else None
    truth: npt.NDArray[Any] = field.target.to_numpy()
    if classes is not None:
        truth = codes_of(truth, classes)
    score = _scorer(metric)
    weights = _within(choose_members(*_sample(answers, truth, score, field.seed)), rivals, seconds, refit)
    if len(weights) < 2:
        return None
    tests = [test for _, test in field.folds]
    honest = as_predictions(cross_fitted(answers, truth, tests, score), classes)
    spec = ensemble_of(weights, [one.spec for one in rivals])
    members = [rivals[place] for place in weights]
    together = blended(list(weights.values()), [answers[place] for place in weights])
    whole = TrialResult(
        spec.algorithm,
        spec.params,
        [field.problem.score(field.target.iloc[test].to_numpy(), honest.take(test)) for test in tests],
        None,
        None,
        sum(one.fit_seconds for one in members),
        predict_ms=sum(one.predict_ms or 0.0 for one in members),
        size_bytes=sum(one.size_bytes or 0 for one in members),
        out_of_fold=as_predictions(together, classes),
    )
    return scored(decided(whole, field.target, field.problem, field.folds, field.decision), metric)


def _scorer(metric: Metric) -> Callable[[npt.NDArray[Any], npt.NDArray[Any]], float]:
    sign = 1.0 if metric.higher_is_better else -1.0
    of_classes, of_numbers = CLASSES.get(metric.name), NUMBERS.get(metric.name)

    def score(truth: npt.NDArray[Any], answer: npt.NDArray[Any]) -> float:
        if of_classes is not None:
            return sign * of_classes(truth, answer)
        assert of_numbers is not None  # noqa: S101  # the metrics on offer are in one of the two tables
        return sign * of_numbers(truth, answer)

    return score


def _sample(
    answers: Sequence[npt.NDArray[Any]], truth: npt.NDArray[Any], score: Callable[..., float], seed: int
) -> tuple[list[npt.NDArray[Any]], Callable[[npt.NDArray[Any]], float]]:
    """The answers to choose by, on at most ten thousand rows, and how good a mean of them is."""
    rows = np.arange(len(truth))
    if len(rows) > MOST_ROWS:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:MOST_ROWS])
    seen = truth[rows]
    return [one[rows] for one in answers], lambda answer: score(seen, answer)


def _within(
    weights: dict[int, float],
    rivals: Sequence[TrialResult],
    seconds: float,
    refit: Callable[[TrialResult], float],
) -> dict[int, float]:
    """The weights without the lightest members, as far as the last fit would take too long."""
    kept = dict(weights)
    while len(kept) > 1 and sum(refit(rivals[place]) for place in kept) > seconds:
        del kept[min(kept, key=lambda place: (kept[place], -place))]
    total = sum(kept.values())
    return {place: weight / total for place, weight in kept.items()}
