"""One trial: an algorithm with parameters, cross-validated."""

import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from registry.inference.native import predict
from registry.problems import ProblemType
from registry.tabular.schema import Column
from training.algorithms import get_algorithm, parse_params
from training.preprocessing import build_pipeline

# What scikit-learn and numpy raise for data that an algorithm cannot take; LinAlgError is a ValueError.
FIT_ERRORS = (ValueError, ArithmeticError, MemoryError)

Folds = Sequence[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]


class TrialSpec(msgspec.Struct, frozen=True):
    """What to try: an algorithm's key and its raw parameters."""

    algorithm: str
    params: dict[str, Any] = {}


class TrialResult(msgspec.Struct, frozen=True):
    """What came of it: all metrics of each fold, mean and deviation of the primary one, or an error.

    ``mean`` and ``std`` are None where ``error`` says why the trial failed, or where it was ``given_up``.
    """

    algorithm: str
    params: dict[str, Any]
    fold_scores: list[dict[str, float]]
    mean: float | None
    std: float | None
    fit_seconds: float
    error: str | None = None
    warnings: tuple[str, ...] = ()
    given_up: bool = False


def fit_pipeline(
    spec: TrialSpec,
    frame: pd.DataFrame,
    y: "pd.Series[Any]",
    columns: Sequence[Column],
    problem: ProblemType,
    seed: int,
) -> Pipeline:
    """A pipeline of this algorithm, fitted on all the rows given.

    Args:
        frame: canonical features (see ``coerce_frame``).
        y: the target, cleaned (see ``ProblemType.clean_target``), the same rows.

    Raises:
        UnknownAlgorithm, UnsuitableAlgorithm, InvalidParameters, NoUsableColumns: the trial is not possible.
    """
    algorithm = get_algorithm(spec.algorithm, problem.key)
    params = parse_params(algorithm, spec.params)
    pipeline = build_pipeline(columns, algorithm, params, seed, problem=problem.key)
    pipeline.fit(frame, y.to_numpy())
    return pipeline


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
) -> TrialResult:
    """Fit and score on each fold.

    An algorithm that cannot take the data gives a result with an ``error``. What ``on_fold(index, scores)``
    raises passes through, which is how a caller cancels; where it is one of ``stop_on``, the trial ends
    there, given up.

    Raises:
        UnknownAlgorithm, UnsuitableAlgorithm, InvalidParameters, NoUsableColumns: the trial is not possible.
    """
    scores: list[dict[str, float]] = []
    notes: dict[str, None] = {}
    seconds = 0.0
    for index, (train, test) in enumerate(folds):
        started = time.perf_counter()
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", ConvergenceWarning)
                pipeline = fit_pipeline(spec, frame.iloc[train], y.iloc[train], columns, problem, seed)
            seconds += time.perf_counter() - started
            fold = problem.score(y.iloc[test].to_numpy(), predict(pipeline, frame.iloc[test], None))
        except FIT_ERRORS as error:
            return _failed(spec, scores, seconds, _reason(error, columns))
        notes |= {_first_line(note, columns): None for note in caught}
        scores.append(fold)
        try:
            if on_fold is not None:
                on_fold(index, fold)
        except stop_on:
            return TrialResult(spec.algorithm, spec.params, scores, None, None, seconds, given_up=True)
    return _succeeded(spec, problem, scores, seconds, tuple(notes))


def _reason(error: Exception, columns: Sequence[Column]) -> str:
    if isinstance(error, MemoryError):
        return "It needs more memory than there is. Use fewer rows or smaller settings."
    # The libraries' own words may quote values.
    return type(error).__name__ if _personal(columns) else f"{type(error).__name__}: {error}"


def _first_line(note: warnings.WarningMessage, columns: Sequence[Column]) -> str:
    return note.category.__name__ if _personal(columns) else str(note.message).split("\n")[0]


def _personal(columns: Sequence[Column]) -> bool:
    return any(column.personal for column in columns)


def _failed(spec: TrialSpec, scores: list[dict[str, float]], seconds: float, error: str) -> TrialResult:
    return TrialResult(spec.algorithm, spec.params, scores, None, None, seconds, error[:1000])


def _succeeded(
    spec: TrialSpec,
    problem: ProblemType,
    scores: list[dict[str, float]],
    seconds: float,
    notes: tuple[str, ...],
) -> TrialResult:
    primary = [fold[problem.primary_metric] for fold in scores if problem.primary_metric in fold]
    if not primary:
        return _failed(spec, scores, seconds, f"{problem.primary.title} is undefined on every fold.")
    mean, std = float(np.mean(primary)), float(np.std(primary))
    return TrialResult(spec.algorithm, spec.params, scores, mean, std, seconds, None, notes)
