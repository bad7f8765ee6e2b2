"""From a spec to a fitted model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator

from registry.inference.native import predict
from registry.problems import Predictions, ProblemType
from registry.tabular.schema import Column
from training.algorithms import get_algorithm, parse_params
from training.automl.deciding import Decider, Decision, fit_decider
from training.automl.ensemble import (
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from training.automl.parallel import in_order
from training.automl.trials import ENSEMBLE, TrialSpec
from training.preprocessing import build_pipeline, parse_preprocessing


class DecidingClassifier:
    """A fitted classifier whose probabilities are corrected, and whose answers follow a chosen threshold.

    Args:
        pipeline: fitted. decider: learnt from out-of-fold answers, with the pipeline's classes.
    """

    inner_models = ("pipeline",)

    def __init__(self, pipeline: Any, decider: Decider) -> None:
        self.pipeline = pipeline
        self.decider = decider
        self.classes_ = decider.classes

    def predict_proba(self, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Corrected probabilities, (n, classes)."""
        found = predict(self.pipeline, frame, self.classes_.tolist()).probabilities
        assert found is not None  # noqa: S101  # a decider is fitted on probabilities only
        return self.decider.calibrated(found)

    def decide(self, probabilities: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
        """The labels that these probabilities mean, (n,)."""
        return self.decider.labels(probabilities)

    def predict(self, frame: pd.DataFrame) -> npt.NDArray[Any]:
        """Labels, (n,)."""
        return self.decide(self.predict_proba(frame))


def fit_pipeline(
    spec: TrialSpec,
    frame: pd.DataFrame,
    y: "pd.Series[Any]",
    columns: Sequence[Column],
    problem: ProblemType,
    seed: int,
    *,
    threads: int = 1,
) -> Any:
    """A pipeline of this algorithm, or an ensemble, fitted on all the rows given.

    Args:
        frame: canonical features (see ``coerce_frame``).
        y: the target, cleaned (see ``ProblemType.clean_target``), the same rows.
        threads: how many members of an ensemble are fitted at once.

    Raises:
        UnknownAlgorithm, UnsuitableAlgorithm, InvalidParameters, InvalidPreprocessing, NoUsableColumns: the
            trial is not possible.
    """
    if spec.algorithm != ENSEMBLE:
        return _fit_one(spec, frame, y, columns, problem, seed)
    members = spec.members
    fitted = list(
        in_order(
            lambda place: _fit_one(members[place][0], frame, y, columns, problem, seed), len(members), threads
        )
    )
    weights = [weight for _, weight in members]
    if problem.key != "classification":
        return (StackingRegressor if spec.is_stacked else VotingRegressor)(fitted, weights)
    return (StackingClassifier if spec.is_stacked else VotingClassifier)(fitted, weights, sorted(set(y)))


def fit_decision(
    pipeline: Any, out_of_fold: Predictions, y: "pd.Series[Any]", decision: Decision
) -> DecidingClassifier | Any:
    """The fitted classifier with its decision, learnt from answers to rows that it had not seen."""
    if not decision.is_needed or out_of_fold.probabilities is None:
        return pipeline
    classes = out_of_fold.classes or []
    return DecidingClassifier(
        pipeline, fit_decider(out_of_fold.probabilities, y.to_numpy(), classes, decision)
    )


def decided_answers(pipeline: Any, answers: Predictions) -> Predictions:
    """A classifier's raw answers as its decision would have given them; others as they are."""
    if not isinstance(pipeline, DecidingClassifier) or answers.probabilities is None:
        return answers
    corrected = pipeline.decider.calibrated(answers.probabilities)
    return Predictions(pipeline.decide(corrected), corrected, answers.classes)


def _fit_one(
    spec: TrialSpec,
    frame: pd.DataFrame,
    y: "pd.Series[Any]",
    columns: Sequence[Column],
    problem: ProblemType,
    seed: int,
) -> BaseEstimator:
    algorithm = get_algorithm(spec.algorithm, problem.key)
    params = parse_params(algorithm, spec.params)
    options = parse_preprocessing(spec.preprocessing)
    pipeline = build_pipeline(columns, algorithm, params, seed, problem=problem.key, options=options)
    return pipeline.fit(frame, y.to_numpy() if problem.needs_target else None)
