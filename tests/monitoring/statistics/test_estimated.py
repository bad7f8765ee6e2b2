"""Quality before the outcomes are known, against the quality that then comes out."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score

from monitoring.statistics.estimated import (
    Calibrator,
    LossEstimator,
    TooFewOutcomes,
    calibrated,
    expected_area,
    expected_confusion,
    metrics_of_confusion,
)


def test_calibrated_probabilities_tell_the_quality_of_harder_cases() -> None:
    rng = np.random.default_rng(0)
    truth_share = rng.beta(2, 2, size=20_000)  # near one half: hard cases
    truth = (rng.uniform(size=20_000) < truth_share).astype(int)
    both = np.column_stack([1 - truth_share, truth_share])
    answered = both.argmax(axis=1)
    found = metrics_of_confusion(expected_confusion(both, answered))
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, answered), abs=0.01)
    assert found["f1"] == pytest.approx(f1_score(truth, answered, average="macro"), abs=0.01)
    area = expected_area(truth_share, truth_share)
    assert area == pytest.approx(roc_auc_score(truth, truth_share), abs=0.01)


def test_known_outcomes_as_certain_probabilities_give_the_very_metrics() -> None:
    rng = np.random.default_rng(1)
    truth, answered = rng.integers(0, 3, size=300), rng.integers(0, 3, size=300)
    found = metrics_of_confusion(expected_confusion(np.eye(3)[truth], answered))
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, answered), abs=1e-12)
    for name, metric in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        expected = metric(truth, answered, average="macro", zero_division=0)
        assert found[name] == pytest.approx(expected, abs=1e-12)


def test_the_area_with_certain_probabilities_and_ties_is_scikit_learns() -> None:
    rng = np.random.default_rng(2)
    truth, scores = rng.integers(0, 2, size=400), rng.integers(0, 6, size=400) / 5
    assert expected_area(truth.astype("float64"), scores) == pytest.approx(
        roc_auc_score(truth, scores), abs=1e-12
    )


def test_an_overconfident_model_is_put_right_first() -> None:
    rng = np.random.default_rng(3)
    share = rng.uniform(size=5_000)
    happened = (rng.uniform(size=5_000) < share).astype("float64")
    said = np.where(share > 0.5, (1 + share) / 2, share / 2)  # further out than true
    calibrator = Calibrator.fitted(said, happened)
    assert np.abs(calibrator(said) - share).mean() < 0.03
    both = calibrated(
        np.column_stack([1 - said, said]), [Calibrator.fitted(1 - said, 1 - happened), calibrator]
    )
    assert both.sum(axis=1) == pytest.approx(1)


def test_a_row_that_no_class_suits_keeps_what_the_model_said() -> None:
    never = Calibrator((0.0, 1.0), (0.0, 0.0))
    assert calibrated(np.array([[0.3, 0.7]]), [never, never]).tolist() == [[0.3, 0.7]]


def test_one_class_alone_has_no_area() -> None:
    assert expected_area(np.ones(5), np.linspace(0, 1, 5)) is None
    assert expected_area(np.array([]), np.array([])) is None
    assert metrics_of_confusion(np.zeros((2, 2))) == {}


def test_the_loss_of_a_regressor_is_told_where_its_inputs_are_harder() -> None:
    rng = np.random.default_rng(4)
    x = rng.uniform(0, 1, size=4_000)
    found, truth = x, x + rng.normal(size=4_000) * (0.1 + x)  # larger errors for larger x
    kind = np.where(x > 0.5, "high", "low")
    frame = pd.DataFrame({"x": x, "kind": kind})
    learnt = LossEstimator.learnt(frame, found, truth, loss="mae")
    hard = x > 0.7
    told = learnt.expect(frame[hard].assign(kind="never seen"), found[hard])
    assert told == pytest.approx(np.abs(found - truth)[hard].mean(), rel=0.15)
    assert learnt.expect(frame[~hard], found[~hard]) < told


def test_too_few_outcomes_are_refused() -> None:
    with pytest.raises(TooFewOutcomes, match="100 are needed"):
        Calibrator.fitted(np.linspace(0, 1, 50), np.ones(50))
    with pytest.raises(TooFewOutcomes, match="100 are needed"):
        LossEstimator.learnt(pd.DataFrame({"x": [1.0]}), np.ones(1), np.ones(1), loss="mae")
