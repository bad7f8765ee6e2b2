import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from training.algorithms.reference import GradientDescentLogisticRegression
from training.algorithms.reference.descent import Problem, descend, sigmoid, soft_threshold

FLOATS = st.floats(-1e300, 1e300)


@pytest.fixture(scope="module")
def cancer() -> tuple[np.ndarray, np.ndarray]:
    X, y = load_breast_cancer(return_X_y=True)
    return X, y


def test_it_is_a_scikit_learn_estimator() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks fit on few steps and skip what is not installed
        check_estimator(GradientDescentLogisticRegression())


class TestSigmoid:
    def test_known_values(self) -> None:
        assert sigmoid(np.array([0.0, np.log(3), -np.log(3)])) == pytest.approx([0.5, 0.75, 0.25])

    @given(arrays(float, 5, elements=FLOATS))
    def test_it_never_overflows_and_mirrors_at_zero(self, z: np.ndarray) -> None:
        with np.errstate(over="raise", invalid="raise"):
            chances = sigmoid(z)
        assert ((chances >= 0) & (chances <= 1)).all()
        assert chances + sigmoid(-z) == pytest.approx(np.ones(5))


class TestDescent:
    def problem(self, l1: float = 0.0, l2: float = 0.1) -> Problem:
        rng = np.random.default_rng(0)
        X = rng.normal(size=(40, 3))
        Y = (X[:, :1] + rng.normal(size=(40, 1)) > 0).astype(float)
        return Problem(X, Y, np.full(40, 1 / 40), l1, l2)

    def test_the_gradient_is_the_slope_of_the_cost(self) -> None:
        problem, step = self.problem(), 1e-6
        rng = np.random.default_rng(1)
        coef, intercept = rng.normal(size=(3, 1)), rng.normal(size=1)
        slope, intercept_slope = problem.gradient(coef, intercept)
        for j in range(3):
            nudge = np.zeros((3, 1))
            nudge[j] = step
            numeric = problem.cost(coef + nudge, intercept) - problem.cost(coef - nudge, intercept)
            assert slope[j, 0] == pytest.approx(numeric / (2 * step), rel=1e-5)
        numeric = problem.cost(coef, intercept + step) - problem.cost(coef, intercept - step)
        assert intercept_slope[0] == pytest.approx(numeric / (2 * step), rel=1e-5)

    @pytest.mark.parametrize("l1", [0.0, 0.05])
    def test_the_safe_rate_never_goes_up(self, l1: float) -> None:
        problem = self.problem(l1)
        found = descend(problem, rate=problem.safe_rate(), max_iter=500, tol=0)
        assert (np.diff(found.cost_history) <= 1e-12).all()

    def test_the_loss_of_knowing_nothing_is_log_two(self) -> None:
        assert self.problem().loss(np.zeros((3, 1)), np.zeros(1)) == pytest.approx(np.log(2))

    def test_the_soft_threshold_moves_towards_zero_and_stops_there(self) -> None:
        assert soft_threshold(np.array([3.0, -3.0, 0.5]), 1.0).tolist() == [2.0, -2.0, 0.0]


class TestAgainstScikitLearn:
    @pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
    def test_both_find_the_same_coefficients(
        self, cancer: tuple[np.ndarray, np.ndarray], l1_ratio: float
    ) -> None:
        X, y = cancer
        ours = GradientDescentLogisticRegression(0.1, l1_ratio, max_iter=20_000, tol=1e-9).fit(X, y)
        theirs = LogisticRegression(C=0.1, l1_ratio=l1_ratio, solver="saga", tol=1e-6, max_iter=20_000)
        theirs.fit(StandardScaler().fit_transform(X), y)
        assert ours.coef_ * ours.scale_ == pytest.approx(theirs.coef_, abs=0.02)
        assert ((ours.coef_ == 0) == (theirs.coef_ == 0)).mean() >= 0.96

    def test_several_classes_are_fitted_one_against_the_rest(self) -> None:
        X, y = load_wine(return_X_y=True)
        ours = GradientDescentLogisticRegression(1.0, max_iter=20_000, tol=1e-9).fit(X, y)
        theirs = OneVsRestClassifier(LogisticRegression(C=1.0)).fit(StandardScaler().fit_transform(X), y)
        expected = theirs.predict_proba(StandardScaler().fit_transform(X))
        assert ours.predict_proba(X) == pytest.approx(expected, abs=2e-3)
        assert ours.coef_.shape == (3, 13)

    def test_weights_count_as_repetitions(self, cancer: tuple[np.ndarray, np.ndarray]) -> None:
        X, y = cancer[0][:100], cancer[1][:100]
        times = np.random.default_rng(0).integers(1, 4, 100)
        weighted = GradientDescentLogisticRegression(max_iter=300, tol=0)
        repeated = GradientDescentLogisticRegression(max_iter=300, tol=0)
        with pytest.warns(ConvergenceWarning):
            weighted.fit(X, y, sample_weight=times)
        with pytest.warns(ConvergenceWarning):
            repeated.fit(np.repeat(X, times, axis=0), np.repeat(y, times))
        assert weighted.coef_ == pytest.approx(repeated.coef_)


class TestStopping:
    def test_the_cost_history_falls_from_log_two(self, cancer: tuple[np.ndarray, np.ndarray]) -> None:
        model = GradientDescentLogisticRegression().fit(*cancer)
        assert model.cost_history_[0] == pytest.approx(np.log(2))
        assert (np.diff(model.cost_history_) <= 0).all()
        assert model.n_iter_ == len(model.cost_history_) - 1 < model.max_iter

    def test_a_wider_tolerance_stops_earlier(self, cancer: tuple[np.ndarray, np.ndarray]) -> None:
        exact, rough = (GradientDescentLogisticRegression(tol=tol).fit(*cancer) for tol in (1e-6, 1e-3))
        assert rough.n_iter_ < exact.n_iter_

    def test_running_out_of_steps_is_told(self, cancer: tuple[np.ndarray, np.ndarray]) -> None:
        with pytest.warns(ConvergenceWarning, match="No convergence in 3 steps"):
            GradientDescentLogisticRegression(max_iter=3).fit(*cancer)

    def test_early_stopping_returns_to_the_best_place_for_rows_kept_aside(self) -> None:
        rng = np.random.default_rng(0)
        X = rng.normal(size=(60, 40))  # more noise than rows can bear: it overfits
        y = (X[:, 0] + rng.normal(size=60) > 0).astype(int)
        model = GradientDescentLogisticRegression(1e6, early_stopping=True, random_state=0, tol=1e-9).fit(
            X, y
        )
        assert model.n_iter_ < model.max_iter
        assert np.argmin(model.validation_history_) < len(model.validation_history_) - 1


class TestRefusals:
    @pytest.mark.parametrize(
        ("parameters", "names"),
        [({"C": 0}, "C must"), ({"l1_ratio": 1.5}, "l1_ratio"), ({"learning_rate": -1}, "learning_rate")],
    )
    def test_senseless_parameters(self, parameters: dict[str, Any], names: str) -> None:
        with pytest.raises(ValueError, match=names):
            GradientDescentLogisticRegression(**parameters).fit([[0.0], [1.0]], [0, 1])

    def test_a_single_class(self) -> None:
        with pytest.raises(ValueError, match="1 class"):
            GradientDescentLogisticRegression().fit([[0.0], [1.0]], ["ill", "ill"])


class TestInputs:
    def test_a_constant_input_gets_no_weight(self) -> None:
        X = np.column_stack([[0.0, 1, 2, 3], np.full(4, 1e9)])
        model = GradientDescentLogisticRegression().fit(X, [0, 0, 1, 1])
        assert model.coef_[0, 1] == 0
        assert model.feature_importances_.tolist() == [1.0, 0.0]

    def test_without_normalisation_the_inputs_stay_as_they_are(self) -> None:
        X = np.array([[0.0], [1], [2], [3]])
        model = GradientDescentLogisticRegression(normalize=False, max_iter=20_000).fit(X, [0, 0, 1, 1])
        theirs = LogisticRegression().fit(X, [0, 0, 1, 1])
        assert model.coef_ == pytest.approx(theirs.coef_, abs=0.02)
