import numpy as np
import pytest
from sklearn import metrics

from training.evaluation import curves

RNG = np.random.default_rng(0)
TRUTH = RNG.uniform(size=5000) < 0.3
SCORE = np.clip(RNG.normal(0.3 + 0.3 * TRUTH, 0.2), 0, 1)


def test_the_roc_curve_is_thinned_and_keeps_its_area() -> None:
    curve = curves.roc(TRUTH, SCORE)
    assert len(curve.x) <= curves.MAX_POINTS + 2
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    assert curve.area == pytest.approx(metrics.roc_auc_score(TRUTH, SCORE))
    assert metrics.auc(curve.x, curve.y) == pytest.approx(curve.area, abs=2e-3)


def test_the_precision_recall_curve_goes_from_nothing_found_to_all() -> None:
    curve = curves.precision_recall(TRUTH, SCORE)
    assert (curve.x[0], curve.x[-1]) == (0, 1)
    assert curve.y[-1] == pytest.approx(TRUTH.mean(), abs=0.01)
    assert curve.area == pytest.approx(metrics.average_precision_score(TRUTH, SCORE))


def test_calibration_bins_hold_equally_many_rows() -> None:
    bins = curves.calibration(np.array([False, False, True, True]), np.array([0.1, 0.3, 0.6, 0.8]), bins=2)
    assert bins.said == pytest.approx([0.2, 0.7])
    assert (bins.came_true, bins.rows) == ([0, 1], [2, 2])


def test_gains_by_hand() -> None:
    curve = curves.gains(np.array([True, False, True, False]), np.array([0.9, 0.8, 0.7, 0.1]))
    assert curve.x == [0, 0.25, 0.5, 0.75, 1]
    assert curve.y == [0, 0.5, 0.5, 1, 1]


def test_residuals_are_truth_minus_prediction_in_order() -> None:
    curve = curves.residuals(np.array([3.0, 1.0]), np.array([2.0, 1.5]))
    assert curve.x == [1.5, 2.0]
    assert curve.y == [-0.5, 1.0]
    assert len(curves.residuals(np.arange(1000.0), np.arange(1000.0)).x) == curves.MAX_POINTS


def test_two_classes_have_the_second_ones_curves_alone() -> None:
    truth = np.where(TRUTH, "yes", "no").astype(object)
    found = curves.classification_curves(truth, np.column_stack([1 - SCORE, SCORE]), ["no", "yes"])
    assert list(found) == ["yes"]
    assert found["yes"]["roc"] == curves.roc(TRUTH, SCORE)


def test_a_class_that_does_not_occur_has_no_curves() -> None:
    chances = RNG.dirichlet([1, 1, 1], 30)
    found = curves.classification_curves(np.array(["a", "b"] * 15, dtype=object), chances, ["a", "b", "c"])
    assert list(found) == ["a", "b"]
