"""Calibration and threshold."""

import pickle

import msgspec
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from registry.inference.native import predict
from registry.problems import get_problem
from registry.problems.class_metrics import probability_scores
from registry.tabular.schema import coerce_frame, infer_schema
from training.automl import Decision, TrialSpec, cross_validate, fit_decision, fit_pipeline
from training.automl.deciding import best_correction, fit_decider
from training.evaluation import folds

CLASSES = ["no", "yes"]
RNG = np.random.default_rng(0)
CHANCE = RNG.uniform(size=2000)
TRUTH = np.where(RNG.uniform(size=2000) < CHANCE, "yes", "no").astype(object)
OVERSURE = np.column_stack([1 - CHANCE**3 / (CHANCE**3 + (1 - CHANCE) ** 3)] * 2)
OVERSURE[:, 1] = 1 - OVERSURE[:, 0]


@pytest.mark.parametrize("how", ["isotonic", "sigmoid"])
def test_calibration_makes_oversure_probabilities_honest(how: str) -> None:
    decider = fit_decider(
        OVERSURE[:1000], TRUTH[:1000], CLASSES, msgspec.convert({"calibrate": how}, Decision)
    )
    corrected = decider.calibrated(OVERSURE[1000:])
    assert corrected.sum(axis=1) == pytest.approx(1)
    before = probability_scores(TRUTH[1000:], OVERSURE[1000:], CLASSES)
    after = probability_scores(TRUTH[1000:], corrected, CLASSES)
    assert after["ece"] < before["ece"] / 2
    assert after["log_loss"] < before["log_loss"]


@pytest.mark.parametrize("how", ["isotonic", "sigmoid"])
def test_three_classes_are_calibrated_one_by_one(how: str) -> None:
    truth = RNG.choice(np.array(["a", "b", "c"], dtype=object), 300)
    raw = RNG.dirichlet([1, 1, 1], 300)
    decider = fit_decider(raw, truth, ["a", "b", "c"], msgspec.convert({"calibrate": how}, Decision))
    assert decider.calibrated(raw).sum(axis=1) == pytest.approx(1)


def test_costs_move_the_threshold_to_where_theory_puts_it() -> None:
    honest = np.column_stack([1 - CHANCE, CHANCE])
    costs = {"positive": "yes", "false_positive": 1, "false_negative": 4}
    decision = msgspec.convert({"threshold": {"costs": costs}}, Decision)
    decider = fit_decider(honest, TRUTH, CLASSES, decision)
    assert decider.threshold is not None
    assert decider.threshold == pytest.approx(1 / (1 + 4), abs=0.06)  # Elkan 2001
    assert (decider.labels(honest) == np.where(decider.threshold <= CHANCE, "yes", "no")).all()
    other = msgspec.convert({"threshold": {"costs": {**costs, "positive": "no"}}}, Decision)
    assert fit_decider(honest, TRUTH, CLASSES, other).positive == 0


def test_served_answers_honour_the_threshold_after_storage() -> None:
    X, target = load_breast_cancer(return_X_y=True, as_frame=True)
    problem = get_problem("classification")
    y = problem.clean_target(target)
    columns = infer_schema(X)
    frame = coerce_frame(X, columns)
    costs = {"positive": "0", "false_positive": 1, "false_negative": 50}
    decision = msgspec.convert({"calibrate": "sigmoid", "threshold": {"costs": costs}}, Decision)
    spec, parts = TrialSpec("logistic_regression"), folds(y, problem, 3)
    tried = cross_validate(spec, frame, y, columns, problem, parts, 0, decision=decision)
    usual = cross_validate(spec, frame, y, columns, problem, parts, 0)
    assert tried.out_of_fold is not None
    assert tried.fold_scores != usual.fold_scores
    pipeline = fit_pipeline(spec, frame, y, columns, problem, 0)
    decided = pickle.loads(pickle.dumps(fit_decision(pipeline, tried.out_of_fold, y, decision)))  # noqa: S301  # our own
    answers = predict(decided, frame, ["0", "1"])
    assert answers.probabilities is not None
    assert decided.decider.threshold < 0.3
    assert ((answers.probabilities[:, 0] >= decided.decider.threshold) == (answers.values == "0")).all()
    assert (answers.values == "0").sum() > (predict(pipeline, frame, None).values == "0").sum()
    assert fit_decision(pipeline, tried.out_of_fold, y, Decision()) is pipeline


def test_the_correction_that_proves_itself_is_taken() -> None:
    automatic = msgspec.convert({"calibrate": "auto"}, Decision)
    assert automatic.is_needed
    chosen = best_correction(OVERSURE[:1000], TRUTH[:1000], CLASSES)
    assert chosen in {"sigmoid", "isotonic"}
    decider = fit_decider(OVERSURE[:1000], TRUTH[:1000], CLASSES, automatic)
    known = fit_decider(
        OVERSURE[:1000], TRUTH[:1000], CLASSES, msgspec.convert({"calibrate": chosen}, Decision)
    )
    assert (decider.calibrated(OVERSURE) == known.calibrated(OVERSURE)).all()


def test_honest_probabilities_are_left_alone() -> None:
    honest = np.column_stack([1 - CHANCE, CHANCE])
    assert best_correction(honest, TRUTH, CLASSES) == "none"
    decider = fit_decider(honest, TRUTH, CLASSES, msgspec.convert({"calibrate": "auto"}, Decision))
    assert decider.calibrated(honest) is honest


def test_a_class_of_a_few_rows_teaches_no_correction() -> None:
    few = TRUTH[:50].copy()
    few[:] = "no"
    few[:3] = "yes"
    assert best_correction(OVERSURE[:50], few, CLASSES) == "none"
