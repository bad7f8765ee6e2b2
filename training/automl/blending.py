"""The ensembles of a race: chosen on out-of-fold answers, scored on rows that did not choose them."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from registry.problems import Metric
from training.automl.again import with_look
from training.automl.ensemble import MOST_ROWS, as_predictions, bagged_members, blended, raw
from training.automl.scoring import CLASSES, NUMBERS, codes_of
from training.automl.search import decided, scored
from training.automl.stacking import logarithms, pool_weights, pooled, probabilities, sum_weights
from training.automl.trials import STACK, VOTE, TrialResult, ensemble_of

if TYPE_CHECKING:
    from training.automl.race import Field

MOST_RIVALS = 20
MOST_ALIKE = 3  # of one algorithm: near copies of a lucky trial would crowd out what answers differently
MOST_BAGS = 8
BAGGED_ROWS = 8000  # rows times bags: choosing again and again is for tables on which it is cheap and needed

Weights = dict[int, float]
Refit = Callable[[TrialResult], float]
Scorer = Callable[[npt.NDArray[Any], npt.NDArray[Any]], float]
Change = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]


@dataclass(frozen=True)
class Library:
    """What ensembles are made from: trials, their out-of-fold answers, the truth, and what counts.

    ``looks`` holds all trials' answers by division into folds. Weights are chosen, and ensembles judged, by
    the answers of all divisions side by side, never by their mean: a mean of several models' answers would
    promise more than the one model that is served holds.
    """

    rivals: Sequence[TrialResult]
    looks: Sequence[Sequence[npt.NDArray[Any]]]
    truth: npt.NDArray[Any]
    classes: Sequence[str] | None
    score: Scorer
    seed: int

    def weights(self, how: str, rows: npt.NDArray[np.int64]) -> Weights:
        """An ensemble's weights, by place, as some rows choose them."""
        if how == VOTE:
            return self._greedy(rows, lambda answer: answer, lambda answer: answer)
        if self.classes is None:
            return self._solved(rows, self.weights(VOTE, rows), sum_weights)
        return self._solved(rows, self._greedy(rows, logarithms, probabilities), pool_weights)

    def _greedy(self, rows: npt.NDArray[np.int64], prepared: Change, answered: Change) -> Weights:
        """Weights of the mean of prepared answers, chosen on at most ten thousand rows."""
        if len(rows) > MOST_ROWS:
            rows = np.sort(np.random.default_rng(self.seed).permutation(rows)[:MOST_ROWS])
        truth = self._truths(rows)
        answers = [prepared(one) for one in self._answers(rows, range(len(self.rivals)))]
        bags = min(MOST_BAGS, BAGGED_ROWS // len(rows))
        return bagged_members(answers, lambda answer: self.score(truth, answered(answer)), bags, self.seed)

    def _solved(self, rows: npt.NDArray[np.int64], given: Weights, solve: Callable[..., Any]) -> Weights:
        """Weights of the same members that suit best, drawn towards the given ones."""
        answers, prior = self._answers(rows, given), list(given.values())
        found = solve(answers, self._truths(rows), prior, looks=len(self.looks))
        return dict(zip(given, found.tolist(), strict=True))

    def _answers(self, rows: npt.NDArray[np.int64], places: Iterable[int]) -> list[npt.NDArray[Any]]:
        return [np.concatenate([look[place][rows] for look in self.looks]) for place in places]

    def _truths(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        return np.tile(self.truth[rows], len(self.looks))

    def joined(
        self, how: str, weights: Mapping[int, float], rows: npt.NDArray[np.int64], look: int = 0
    ) -> Any:
        """The ensemble's answers to some rows, as of one division."""
        answers = [self.looks[look][place][rows] for place in weights]
        join = pooled if how == STACK and self.classes is not None else blended
        return join(list(weights.values()), answers)


def blend(
    ranked: Sequence[TrialResult], field: "Field", metric: Metric, seconds: float, refit: Refit
) -> list[TrialResult]:
    """A vote and a stack of the best trials as trials of their own; none where there is nothing to join.

    Args:
        ranked: the best first. seconds: what fitting the members on all rows may take together, one core.
        refit: seconds that fitting one trial's model on all rows takes.
    """
    library = _library(ranked, field, metric, seconds, refit)
    if library is None:
        return []
    everything = np.arange(len(library.truth))
    chosen = {}
    for how in (VOTE, STACK):
        weights = _within(library.weights(how, everything), library.rivals, seconds, refit)
        if sum(weight > 0 for weight in weights.values()) > 1:
            chosen[how] = weights
    honest = _cross_fitted(library, field, chosen)
    return [_as_trial(library, field, metric, how, chosen[how], honest[how]) for how in chosen]


def _library(
    ranked: Sequence[TrialResult], field: "Field", metric: Metric, seconds: float, refit: Refit
) -> Library | None:
    most = max((len(one.fold_scores) for one in ranked), default=0)
    looked = [one for one in ranked if len(one.fold_scores) == most]
    usable = [one for one in looked if one.out_of_fold is not None and refit(one) < seconds]
    rivals = _unlike(usable)[:MOST_RIVALS]
    if len(rivals) < 2:
        return None
    seen = [one.out_of_fold for one in rivals if one.out_of_fold is not None]
    truth: npt.NDArray[Any] = field.target.to_numpy()
    classes = seen[0].classes
    if classes is not None:
        truth = codes_of(truth, classes)
    looks = [[raw(one) for one in seen]]
    looks += [[raw(one) for one in more] for more in zip(*(one.again for one in rivals), strict=True)]
    return Library(rivals, looks, truth, classes, _scorer(metric), field.seed)


def _unlike(ranked: Sequence[TrialResult]) -> list[TrialResult]:
    """The trials in their order, of each algorithm the first few."""
    taken: Counter[str] = Counter()
    kept = []
    for one in ranked:
        taken[one.algorithm] += 1
        if taken[one.algorithm] <= MOST_ALIKE:
            kept.append(one)
    return kept


def _cross_fitted(
    library: Library, field: "Field", kinds: Iterable[str]
) -> dict[str, list[npt.NDArray[Any]]]:
    """Each ensemble's answers by division, with each fold's weights chosen on the other folds alone.

    Weights that were chosen on the rows they are judged by flatter; these do not.
    """
    whole = {how: [np.array(look[0], dtype="float64") for look in library.looks] for how in kinds}
    for _, test in field.folds:
        others = np.setdiff1d(np.arange(len(library.truth)), test)
        for how, by_look in whole.items():
            weights = library.weights(how, others)
            for look, answers in enumerate(by_look):
                answers[test] = library.joined(how, weights, test, look)
    return whole


def _as_trial(
    library: Library,
    field: "Field",
    metric: Metric,
    how: str,
    weights: Weights,
    honest: Sequence[npt.NDArray[Any]],
) -> TrialResult:
    kept = {place: weight for place, weight in weights.items() if weight > 0}
    spec = ensemble_of(kept, [one.spec for one in library.rivals], how)
    members = [library.rivals[place] for place in kept]
    problem, everything = field.problem, np.arange(len(library.truth))
    whole = TrialResult(
        spec.algorithm,
        spec.params,
        [],
        None,
        None,
        sum(one.fit_seconds for one in members),
        predict_ms=sum(one.predict_ms or 0.0 for one in members),
        size_bytes=sum(one.size_bytes or 0 for one in members),
    )
    for look, answers in enumerate(honest):
        unseen = as_predictions(answers, library.classes)
        scores = [
            problem.score(field.target.iloc[test].to_numpy(), unseen.take(test)) for _, test in field.folds
        ]
        together = as_predictions(library.joined(how, kept, everything, look), library.classes)
        one = TrialResult(spec.algorithm, spec.params, scores, None, None, 0.0, out_of_fold=together)
        one = decided(one, field.target, problem, field.folds, field.decision)
        whole = (
            with_look(whole, one, metric)
            if look
            else replace(whole, fold_scores=one.fold_scores, out_of_fold=together)
        )
    return scored(whole, metric)


def _scorer(metric: Metric) -> Scorer:
    sign = 1.0 if metric.higher_is_better else -1.0
    of_classes, of_numbers = CLASSES.get(metric.name), NUMBERS.get(metric.name)

    def score(truth: npt.NDArray[Any], answer: npt.NDArray[Any]) -> float:
        if of_classes is not None:
            return sign * of_classes(truth, answer)
        assert of_numbers is not None  # noqa: S101  # the metrics on offer are in one of the two tables
        return sign * of_numbers(truth, answer)

    return score


def _within(weights: Weights, rivals: Sequence[TrialResult], seconds: float, refit: Refit) -> Weights:
    """The weights without the lightest members, as far as the last fit would take too long.

    The others make up for what these weighed.
    """
    kept = dict(weights)
    while len(kept) > 1 and sum(refit(rivals[place]) for place in kept) > seconds:
        del kept[min(kept, key=lambda place: (kept[place], -place))]
    more = sum(weights.values()) / (sum(kept.values()) or 1.0)
    return {place: weight * more for place, weight in kept.items()}
