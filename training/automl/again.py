"""A second look at the best of a search on few rows: their cross-validation once more, on other folds.

On few rows the first of many trials is often the luckiest one: which rows lie in which fold tells them apart
more than their quality does. Repeated cross-validation takes this luck away (Kim 2009).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace

from registry.problems import Metric
from training.automl.field import Field, OutOfTime
from training.automl.search import Folds, cross_validate, scored
from training.automl.trials import TrialResult

FEW_ROWS = 1_000
FINALISTS = 12
REPEATS = 2
SHARE = 0.3  # of the time: what the second look may keep from the search
SLACK = 1.1  # what is expected is never exact
SEED_STEP = 1_000  # far from the seeds that a user would try next

Ranked = Sequence[tuple[Any, TrialResult]]


def other_folds(rows: int, divide: Callable[[int], Folds], seed: int) -> tuple[Folds, ...]:
    """Further divisions of few rows into folds, by other seeds.

    None where the rows are many, or where the seed does not decide (folds in order of time).
    """
    if rows >= FEW_ROWS:
        return ()
    first = divide(seed)
    others = [divide(seed + SEED_STEP * place) for place in range(1, REPEATS + 1)]
    return tuple(other for other in others if not _same(first, other))


def looked_again(
    ranked: Ranked, field: Field, metric: Metric, check: Callable[[], None], left: Callable[[], float]
) -> Ranked:
    """The finalists, scored on the field's other folds, too; all of them on the same.

    A round that the time does not suffice for counts for none; who fails in a round is out.

    Args:
        ranked: the best first. check: raises where the search is to stop. left: seconds that are left.
    """

    def on_fold(index: int, scores: dict[str, float]) -> None:
        check()
        if left() < 0:
            raise OutOfTime

    finalists = list(_affordable(ranked[:FINALISTS], field, left()))
    if len(finalists) < 2:
        return []
    for folds in field.again:
        round_of = []
        for trial, result in finalists:
            look = cross_validate(
                result.spec,
                field.features,
                field.target,
                field.columns,
                field.problem,
                folds,
                field.seed,
                on_fold,
                OutOfTime,
                metric=metric,
                decision=field.decision,
                threads=field.threads,
            )
            if look.given_up:
                return finalists
            if look.mean is not None:
                round_of.append((trial, with_look(result, look, metric)))
        finalists = round_of
    return finalists


def with_look(result: TrialResult, look: TrialResult, metric: Metric) -> TrialResult:
    """The result with another cross-validation's folds beside its own."""
    more = () if look.out_of_fold is None else (look.out_of_fold,)
    whole = replace(
        result,
        fold_scores=[*result.fold_scores, *look.fold_scores],
        fit_seconds=result.fit_seconds + look.fit_seconds,
        again=result.again + more,
    )
    return scored(whole, metric)


def _affordable(ranked: Ranked, field: Field, seconds: float) -> Iterator[tuple[Any, TrialResult]]:
    """The first of them, as many as the time is enough for."""
    for trial, result in ranked:
        seconds -= SLACK * len(field.again) * result.fit_seconds / field.threads
        if seconds < 0:
            return
        yield trial, result


def _same(first: Folds, other: Folds) -> bool:
    return len(first) == len(other) and all(
        np.array_equal(one[1], two[1]) for one, two in zip(first, other, strict=True)
    )
