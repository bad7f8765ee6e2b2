import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from registry.problems import ProblemType, get_problem
from registry.tabular.schema import coerce_frame, infer_schema
from training.algorithms import InvalidParameters, UnsuitableAlgorithm
from training.automl import TrialResult, TrialSpec, cross_validate, rank
from training.evaluation import folds

CLASSIFICATION, REGRESSION = get_problem("classification"), get_problem("regression")


def run(
    spec: TrialSpec, X: pd.DataFrame, target: pd.Series, problem: ProblemType, **more: object
) -> TrialResult:
    y = problem.clean_target(target)
    columns = infer_schema(X)
    parts = folds(y, problem, 3)
    return cross_validate(spec, coerce_frame(X, columns), y, columns, problem, parts, 0, **more)  # type: ignore[arg-type]  # test helper


@pytest.mark.parametrize(
    ("load", "spec", "problem", "least"),
    [
        (load_breast_cancer, TrialSpec("logistic_regression"), CLASSIFICATION, 0.95),
        (load_wine, TrialSpec("random_forest", {"n_estimators": 30}), CLASSIFICATION, 0.93),
        (load_diabetes, TrialSpec("ridge"), REGRESSION, 0.4),
    ],
)
def test_it_reaches_what_is_known_of_real_data(
    load: object, spec: TrialSpec, problem: ProblemType, least: float
) -> None:
    X, target = load(return_X_y=True, as_frame=True)  # type: ignore[operator]  # untyped loaders
    result = run(spec, X, target, problem)
    assert result.error is None
    assert result.mean is not None
    assert result.mean > least
    assert len(result.fold_scores) == 3
    assert result.mean == pytest.approx(
        np.mean([fold[problem.primary_metric] for fold in result.fold_scores])
    )
    assert result.fit_seconds > 0


@pytest.fixture
def noise() -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"x": rng.normal(size=30)}), pd.Series(rng.choice(["a", "b"], 30))


def test_an_algorithm_that_cannot_take_the_data_gives_an_error(noise: tuple[pd.DataFrame, pd.Series]) -> None:
    result = run(TrialSpec("knn", {"n_neighbors": 500}), *noise, CLASSIFICATION)
    assert result.error is not None
    assert "n_neighbors" in result.error
    assert result.mean is None


def test_each_fold_is_told_and_a_caller_may_cancel(noise: tuple[pd.DataFrame, pd.Series]) -> None:
    told: list[int] = []

    def on_fold(index: int, scores: dict[str, float]) -> None:
        told.append(index)
        assert "f1" in scores
        if index == 1:
            raise ValueError("cancelled")

    with pytest.raises(ValueError, match="cancelled"):
        run(TrialSpec("dummy"), *noise, CLASSIFICATION, on_fold=on_fold)
    assert told == [0, 1]


def test_a_solver_that_did_not_converge_says_so() -> None:
    X, target = load_breast_cancer(return_X_y=True, as_frame=True)
    result = run(TrialSpec("logistic_regression", {"max_iter": 2}), X, target, CLASSIFICATION)
    assert result.error is None
    assert any("converge" in note for note in result.warnings)


@pytest.mark.parametrize(
    ("spec", "error"),
    [(TrialSpec("ridge"), UnsuitableAlgorithm), (TrialSpec("knn", {"k": 1}), InvalidParameters)],
)
def test_an_impossible_trial_is_refused(
    noise: tuple[pd.DataFrame, pd.Series], spec: TrialSpec, error: type[Exception]
) -> None:
    with pytest.raises(error):
        run(spec, *noise, CLASSIFICATION)


def trial(name: str, mean: float | None, std: float = 0.1, seconds: float = 1.0) -> TrialResult:
    return TrialResult(
        name, {}, [], mean, None if mean is None else std, seconds, None if mean is not None else "no"
    )


def test_the_best_comes_first_and_the_failed_last() -> None:
    results = [trial("failed", None), trial("good", 0.8), trial("best", 0.9), trial("steady", 0.8, std=0.01)]
    assert [result.algorithm for result in rank(results, CLASSIFICATION)] == [
        "best",
        "steady",
        "good",
        "failed",
    ]
