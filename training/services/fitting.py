"""From a frozen dataset to a trained model: the work of a job, with no transaction open."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.inference.native import predict
from registry.inference.reference import reference_of
from registry.problems import Predictions, ProblemType
from registry.services.versions import TrainedModel
from registry.tabular.schema import Column
from registry.tabular.splits import Split, arranged
from training.algorithms import get_algorithm, parse_params
from training.automl.fitting import decided_answers, fit_decision, fit_pipeline
from training.automl.search import cross_validate
from training.automl.trials import ENSEMBLE, TrialResult
from training.errors import TrainingFailed
from training.evaluation.importance import permutation_importance
from training.evaluation.learning import learning_curve
from training.evaluation.report import Beside, LearningPoint
from training.evaluation.splits import Folds, arranged_folds, thinned
from training.evaluation.stability import steadiness
from training.models import TrainingJob
from training.services.configs import marked_columns
from training.services.environments import environment_of
from training.services.evaluating import Measured, evaluation_of
from training.services.limits import limits_of
from training.services.options import decision_of
from training.services.tables import Table
from training.services.twins import twin_of

MIN_TRAINING_ROWS = 10
SAMPLE_ROWS = 5
QUICK_SECONDS = 0.1  # of one fold: a curve costs about one fit more
ENSEMBLE_ROWS = 500
TWIN_ROWS = 2000


@dataclass(frozen=True)
class Material:
    """A job's rows, split once: ``features`` and ``target`` share their index; ``held_out`` marks rows."""

    problem: ProblemType
    columns: list[Column]
    features: pd.DataFrame
    target: pd.Series
    held_out: npt.NDArray[np.bool_]
    rows_without_target: int
    split: Split = field(default_factory=Split)
    arranged: "pd.Series[Any] | None" = None
    beside: Beside = field(default_factory=Beside)

    @cached_property
    def training(self) -> tuple[pd.DataFrame, pd.Series]:
        """Features and target of the rows that are learnt from."""
        return self.features[~self.held_out], self.target[~self.held_out]

    @cached_property
    def holdout(self) -> tuple[pd.DataFrame, pd.Series]:
        """Features and target of the rows that no fit ever sees."""
        return self.features[self.held_out], self.target[self.held_out]

    def folds(self, config: dict[str, Any], seed: int | None = None) -> Folds:
        """The cross-validation's parts of the training rows, as the job's config asks for them.

        Args:
            seed: another one than the job's, for another division.
        """
        arranged = None if self.arranged is None else self.arranged[~self.held_out]
        drawn = config["seed"] if seed is None else seed
        return arranged_folds(self.training[1], self.problem, arranged, config["folds"], drawn)


def prepare(job: TrainingJob, table: Table) -> Material:
    """Drop rows without a target and set the hold-out aside.

    Raises UnusableTarget or TrainingFailed where nothing can be learnt.
    """
    problem, frame, split = job.model.problem, table.frame, table.split
    columns = table.columns
    if split.kind == "group":  # whose rows are tested, the model has never met: its name tells it nothing
        columns = [column for column in columns if column.name != split.column]
    raw = problem.target_of(frame, job.model.target)
    problem.check_target(raw)
    target = problem.clean_target(raw)
    # On every row of the file, as the gates do: whoever asks later finds the same rows held out.
    known = np.asarray(frame.index.isin(target.index))
    held_out = table.held_out[known]
    if (~held_out).sum() < MIN_TRAINING_ROWS:
        raise TrainingFailed(
            f"Only {int((~held_out).sum())} rows with a target are left to learn from; "
            f"at least {MIN_TRAINING_ROWS} are needed. Add labelled rows.",
            code="too_few_rows",
        )
    features = table.features[[column.name for column in columns if column.name in table.features]]
    _check_holdout(problem, target, held_out)
    groups = arranged(frame[known], split)
    return Material(
        problem=problem,
        columns=columns,
        features=features[known],
        target=target,
        held_out=held_out,
        rows_without_target=len(frame) - len(target),
        split=split,
        arranged=groups,
        beside=_beside(job, {column.name for column in columns}, frame, known, held_out),
    )


def _beside(
    job: TrainingJob,
    inputs: set[str],
    frame: pd.DataFrame,
    known: npt.NDArray[np.bool_],
    held_out: npt.NDArray[np.bool_],
) -> Beside:
    """Return the held-out rows' columns whose groups are to be compared though the model never sees them."""
    named = set((job.config.get("fairness") or {}).get("columns", [])) - inputs
    if not named:
        return Beside()
    columns = [one for one in marked_columns(job.model, job.dataset) if one.name in named]
    return Beside(columns, frame.loc[known, [one.name for one in columns]][held_out])


def _check_holdout(problem: ProblemType, target: "pd.Series[Any]", held_out: npt.NDArray[np.bool_]) -> None:
    """Refuse a split by group or time that leaves nothing to measure on, or one class to learn from."""
    if not held_out.any():
        raise TrainingFailed(
            "No row with a target is held out, so the model could not be measured. Split in another way.",
            code="too_few_rows",
        )
    if problem.key == "classification" and target[~held_out].nunique() < 2:
        raise TrainingFailed(
            "The rows to learn from are all of one class once the others are held out. Split in another way.",
            code="too_few_rows",
        )


def refit(job: TrainingJob, material: Material, best: TrialResult) -> TrainedModel:
    """Fit the best trial on every row but the hold-out, and measure it there."""
    seed = job.config["seed"]
    pipeline, seen = fitted(job, material, best)
    classes = classes_of(material.problem, pipeline)
    held_features, held_target = material.holdout
    answers = predict(pipeline, held_features, classes)
    importance = _importance(best.algorithm, pipeline, material, classes, seed)
    measured = Measured(
        problem=material.problem,
        pipeline=pipeline,
        classes=classes,
        columns=material.columns,
        features=held_features,
        target=held_target,
        answers=answers,
        importance=importance,
        beside=material.beside,
    )
    return TrainedModel(
        pipeline=pipeline,
        algorithm=best.algorithm,
        params=full_params(best),
        features=material.columns,
        classes=classes,
        metrics=material.problem.score(held_target.to_numpy(), answers)
        | steadiness(pipeline, material.training[0], held_features, material.problem, seed),
        cv_metrics=summary_of_folds(best.fold_scores),
        importance=importance,
        reference=reference_of(material.problem, material.columns, material.training[0], answers),
        dataset=job.dataset,
        holdout_rows=int(material.held_out.sum()),
        environment=environment_of(job),
        sample=held_features.head(SAMPLE_ROWS),
        seed=seed,
        split=msgspec.to_builtins(material.split),
        twin=twin_of(
            pipeline, classes, _like_those_to_come(material), material.columns, job.model.twin_tolerance
        ),
        **evaluation_of(measured, job.config, seen=seen, learning=_learning(job, material, best)),
    )


def _like_those_to_come(material: Material) -> pd.DataFrame:
    """Return the rows on which the twin is tried: those held out, then those learnt from."""
    return pd.concat([material.holdout[0], material.training[0].head(TWIN_ROWS)]).head(TWIN_ROWS)


def _learning(job: TrainingJob, material: Material, best: TrialResult) -> list[LearningPoint]:
    """Return how the winner's score on the first fold's test rows grows, where a fit is quick."""
    primary, problem, seed = material.problem.primary_metric, material.problem, job.config["seed"]
    features, target = material.training
    known = (
        problem.key in {"classification", "regression"} and best.algorithm != ENSEMBLE and best.fold_scores
    )
    if not known or decision_of(job.config, target).is_needed:
        return []
    if best.fit_seconds / len(best.fold_scores) > QUICK_SECONDS:
        return []
    train, test = material.folds(job.config)[0]

    def score_after(rows: npt.NDArray[np.int64]) -> float | None:
        some = (features.iloc[rows], target.iloc[rows])
        pipeline = fit_pipeline(best.spec, *some, material.columns, problem, seed)
        answers = predict(pipeline, features.iloc[test], None)
        return problem.score(target.iloc[test].to_numpy(), answers).get(primary)

    return learning_curve(score_after, train, best.fold_scores[0].get(primary), seed)


def importance_effort(algorithm: str) -> tuple[int | None, int]:
    """Return most rows and repeats of the permutations: an ensemble takes many times longer to answer."""
    return (ENSEMBLE_ROWS, 2) if algorithm == ENSEMBLE else (None, 5)


def _importance(
    algorithm: str, pipeline: Any, material: Material, classes: list[str] | None, seed: int
) -> list[dict[str, Any]]:
    rows, repeats = importance_effort(algorithm)
    features, target = material.holdout
    return permutation_importance(
        pipeline,
        features.head(rows) if rows else features,
        target.to_numpy()[:rows],
        material.problem,
        classes=classes,
        repeats=repeats,
        seed=seed,
    )


def fitted(
    job: TrainingJob, material: Material, best: TrialResult
) -> tuple[Any, tuple[Any, Predictions] | None]:
    """Return the best trial's pipeline with its decision, and truth and answers of unseen rows."""
    features, target = material.training
    work = (features, target, material.columns, material.problem)
    threads, seed = limits_of(job.config).cpus, job.config["seed"]
    pipeline = fit_pipeline(best.spec, *work, seed, threads=threads)
    decision, seen = decision_of(job.config, target), best.out_of_fold
    if decision.is_needed and seen is None:
        # It was tried elsewhere, or before: the same folds give the same answers.
        parts = thinned(material.folds(job.config), best.share, seed)
        seen = cross_validate(best.spec, *work, parts, seed, threads=threads).out_of_fold
    if seen is None:
        return pipeline, None
    decided = fit_decision(pipeline, seen, target, decision)
    return decided, (target.to_numpy(), decided_answers(decided, seen))


def full_params(best: TrialResult) -> dict[str, Any]:
    """Return the trial's parameters with the defaults of those that it did not name."""
    if best.algorithm == ENSEMBLE:
        return best.params
    full: dict[str, Any] = msgspec.to_builtins(parse_params(get_algorithm(best.algorithm), best.params))
    return full


def summary_of_folds(fold_scores: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return mean and standard deviation over the folds of every metric that all folds have."""
    names = set(fold_scores[0]).intersection(*fold_scores) if fold_scores else set()
    return {
        name: {
            "mean": float(np.mean([scores[name] for scores in fold_scores])),
            "std": float(np.std([scores[name] for scores in fold_scores])),
        }
        for name in sorted(names)
    }


def classes_of(problem: ProblemType, pipeline: Any) -> list[str] | None:
    return [str(label) for label in pipeline.classes_] if problem.key == "classification" else None
