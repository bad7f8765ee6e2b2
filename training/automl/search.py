"""One trial: an algorithm with parameters and a preparation of the inputs, cross-validated."""

import time
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from msgspec.structs import replace
from sklearn.exceptions import ConvergenceWarning

from registry.inference.native import predict
from registry.problems import Metric, Predictions, ProblemType
from registry.tabular.schema import Column
from training.automl.deciding import Decision, fit_decider
from training.automl.ensemble import as_predictions
from training.automl.fitting import fit_pipeline
from training.automl.measuring import milliseconds_of, size_of
from training.automl.parallel import in_order
from training.automl.trials import TrialResult, TrialSpec
from training.evaluation.stability import steadiness

# What scikit-learn and numpy raise for data that an algorithm cannot take; LinAlgError is a ValueError.
FIT_ERRORS = (ValueError, ArithmeticError, MemoryError)

Folds = Sequence[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]
AS_IT_IS = Decision()


@dataclass
class _Fold:
    """What one fold gave; of the first one also how fast and how large its pipeline is."""

    seconds: float
    answers: Predictions
    scores: dict[str, float]
    predict_ms: float | None = None
    size_bytes: int | None = None


def cross_validate(
    spec: TrialSpec,
    frame: pd.DataFrame,
    y: "pd.Series[Any]",
    columns: Sequence[Column],
    problem: ProblemType,
    folds: Folds,
    seed: int,
    on_fold: Callable[[int, dict[str, float]], None] | None = None,
    stop_on: tuple[type[Exception], ...] | type[Exception] = (),
    *,
    metric: Metric | None = None,
    decision: Decision = AS_IT_IS,
    threads: int = 1,
) -> TrialResult:
    """Fit and score on each fold.

    An algorithm that cannot take the data gives a result with an ``error``. What ``on_fold(index, scores)``
    raises passes through, which is how a caller cancels; where it is one of ``stop_on``, the trial ends
    there, given up. With a decision, each fold's scores are those of calibration and threshold as learnt from
    the other folds' answers.

    Args:
        metric: what ``mean`` and ``std`` tell; the problem's primary one where it is left out.
        threads: how many folds are fitted at once.

    Raises:
        UnknownAlgorithm, UnsuitableAlgorithm, InvalidParameters, InvalidPreprocessing, NoUsableColumns: the
            trial is not possible.
    """
    classes = sorted(set(y)) if problem.key == "classification" else None

    def fit(index: int) -> _Fold:
        return _fit_fold(spec, frame, y, columns, problem, folds[index], seed, classes, measured=index == 0)

    empty = TrialResult(spec.algorithm, spec.params, [], None, None, 0.0, preprocessing=spec.preprocessing)
    with (
        warnings.catch_warnings(record=True) as caught,
        closing(in_order(fit, len(folds), threads)) as fitted,
    ):
        warnings.simplefilter("always", ConvergenceWarning)
        done, ended = _collected(fitted, len(folds), columns, on_fold, stop_on)
    result = replace(_told(empty, done), **ended)
    if ended:
        return result
    notes = {_first_line(note, columns): None for note in caught if note.category is ConvergenceWarning}
    answers = _joined([one.answers for one in done], folds, classes, len(y)) if problem.needs_target else None
    whole = replace(result, warnings=tuple(notes), out_of_fold=answers)
    return scored(decided(whole, y, problem, folds, decision), metric or problem.primary)


def _collected(
    fitted: Generator[_Fold],
    count: int,
    columns: Sequence[Column],
    on_fold: Callable[[int, dict[str, float]], None] | None,
    stop_on: tuple[type[Exception], ...] | type[Exception],
) -> tuple[list[_Fold], dict[str, Any]]:
    """The folds as they come, and what ended the trial before the last one; nothing where nothing did."""
    done: list[_Fold] = []
    for index in range(count):
        try:
            done.append(next(fitted))
        except FIT_ERRORS as error:
            return done, {"error": _reason(error, columns)[:1000]}
        try:
            if on_fold is not None:
                on_fold(index, done[-1].scores)
        except stop_on:
            return done, {"given_up": True}
    return done, {}


def _fit_fold(
    spec: TrialSpec,
    frame: pd.DataFrame,
    y: "pd.Series[Any]",
    columns: Sequence[Column],
    problem: ProblemType,
    rows: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    seed: int,
    classes: list[str] | None,
    *,
    measured: bool,
) -> _Fold:
    train, test = rows
    started = time.perf_counter()
    pipeline = fit_pipeline(spec, frame.iloc[train], y.iloc[train], columns, problem, seed)
    seconds = time.perf_counter() - started
    answers = predict(pipeline, frame.iloc[test], classes)
    fold = _Fold(seconds, answers, problem.score(y.iloc[test].to_numpy(), answers))
    if problem.primary_metric not in fold.scores:
        fold.scores |= steadiness(pipeline, frame.iloc[train], frame.iloc[test], problem, seed)
    if measured:
        fold.predict_ms = milliseconds_of(pipeline, frame.iloc[test])
        fold.size_bytes = size_of(pipeline)
    return fold


def decided(
    result: TrialResult, y: "pd.Series[Any]", problem: ProblemType, folds: Folds, decision: Decision
) -> TrialResult:
    """The result with each fold scored by the decision that the other folds' answers taught."""
    seen = result.out_of_fold
    if not decision.is_needed or seen is None or seen.probabilities is None:
        return result
    truth, scores = y.to_numpy(), []
    for _, test in folds:
        others = np.ones(len(truth), dtype=bool)
        others[test] = False
        decider = fit_decider(seen.probabilities[others], truth[others], seen.classes or [], decision)
        corrected = decider.calibrated(seen.probabilities[test])
        answers = Predictions(decider.labels(corrected), corrected, seen.classes)
        scores.append(problem.score(truth[test], answers))
    return replace(result, fold_scores=scores)


def scored(result: TrialResult, metric: Metric) -> TrialResult:
    """The result with mean and deviation of the metric over its folds, or an error where it has none."""
    values = [fold[metric.name] for fold in result.fold_scores if metric.name in fold]
    if not values:
        return replace(result, error=f"{metric.title} is undefined on every fold.")
    return replace(result, mean=float(np.mean(values)), std=float(np.std(values)))


def _told(result: TrialResult, done: Sequence[_Fold]) -> TrialResult:
    return replace(
        result,
        fold_scores=[one.scores for one in done],
        fit_seconds=sum(one.seconds for one in done),
        predict_ms=done[0].predict_ms if done else None,
        size_bytes=done[0].size_bytes if done else None,
    )


def _joined(
    answers: Sequence[Predictions], folds: Folds, classes: list[str] | None, count: int
) -> Predictions | None:
    """The folds' answers in the order of the rows; None where a row has none, or labels no probabilities."""
    order = np.concatenate([test for _, test in folds])
    if len(order) != count or (classes is not None and any(one.probabilities is None for one in answers)):
        return None
    stacked = np.concatenate(
        [one.values if one.probabilities is None else one.probabilities for one in answers]
    )
    whole = np.empty_like(stacked)
    whole[order] = stacked
    return as_predictions(whole, classes)


def _reason(error: Exception, columns: Sequence[Column]) -> str:
    if isinstance(error, MemoryError):
        return "It needs more memory than there is. Use fewer rows or smaller settings."
    # The libraries' own words may quote values.
    return type(error).__name__ if _personal(columns) else f"{type(error).__name__}: {error}"


def _first_line(note: warnings.WarningMessage, columns: Sequence[Column]) -> str:
    return note.category.__name__ if _personal(columns) else str(note.message).split("\n")[0]


def _personal(columns: Sequence[Column]) -> bool:
    return any(column.personal for column in columns)
