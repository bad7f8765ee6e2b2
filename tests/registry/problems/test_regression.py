import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from registry.problems import InvalidOutcome, Predictions, UnusableTarget, get_problem

PROBLEM = get_problem("regression")


def test_the_metrics_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    y, p = rng.normal(5, 1, 100), rng.normal(5, 1, 100)
    assert PROBLEM.score(y, Predictions(p)) == pytest.approx(
        {
            "r2": metrics.r2_score(y, p),
            "mae": metrics.mean_absolute_error(y, p),
            "rmse": metrics.root_mean_squared_error(y, p),
            "mape": metrics.mean_absolute_percentage_error(y, p),
            "median_absolute_error": metrics.median_absolute_error(y, p),
        }
    )


def test_undefined_metrics_are_left_out() -> None:
    scores = PROBLEM.score([0.0, 0.0], Predictions(np.asarray([1.0, 1.0])))
    assert "r2" not in scores
    assert "mape" not in scores
    assert PROBLEM.score([], Predictions(np.asarray([]))) == {}


def test_row_scores_are_negated_absolute_errors() -> None:
    assert PROBLEM.row_scores([1.0, 2.0], Predictions(np.asarray([1.5, 2.0]))).tolist() == [-0.5, 0.0]


def test_the_direction_of_a_metric_is_its_own() -> None:
    assert PROBLEM.primary.is_better(0.9, 0.8)
    assert PROBLEM.metric("mae").is_better(0.1, 0.2)


def test_the_target_becomes_finite_floats() -> None:
    assert PROBLEM.clean_target(pd.Series(["1", None, "2.5", np.inf])).to_dict() == {0: 1.0, 2: 2.5}


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (["tall", "1", "2", "3", "4"], "not a number"),
        ([1.0, 2.0], "at least 5"),
        ([3.0] * 9, "same value"),
        ([1, 2, 3, 4, np.inf], "infinite"),
        (list(pd.date_range("2026-01-01", periods=6)), "not a number"),
    ],
)
def test_an_unusable_target_is_refused_with_advice(values: list[object], text: str) -> None:
    with pytest.raises(UnusableTarget, match=text):
        PROBLEM.check_target(pd.Series(values, name="price"))


@pytest.mark.parametrize(("value", "number"), [(1, 1.0), ("2.5", 2.5), (np.float64(3), 3.0)])
def test_an_outcome_is_a_number(value: object, number: float) -> None:
    assert PROBLEM.parse_outcome(value, None) == number


@pytest.mark.parametrize("value", ["tall", None, True, float("nan"), "inf", 10**400, [1]])
def test_an_outcome_that_is_no_finite_number_is_refused(value: object) -> None:
    with pytest.raises(InvalidOutcome, match="finite number"):
        PROBLEM.parse_outcome(value, None)
