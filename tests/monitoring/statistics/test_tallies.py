"""Tallies add up, and tell what the rows themselves would."""

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from monitoring.statistics.quality import quality_of_detector, quality_of_labels, quality_of_numbers
from monitoring.statistics.tallies import added, tally_of_labels, tally_of_numbers, tally_of_scores
from registry.problems import get_problem
from registry.problems.base import Predictions

CLASSES = ["a", "b", "c"]
Arrays = tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[np.float64]]


def classified(rows: int, seed: int = 0) -> Arrays:
    rng = np.random.default_rng(seed)
    truth = rng.choice(CLASSES, rows).astype(object)
    logits = rng.normal(size=(rows, 3)) + 1.5 * (truth[:, None] == np.array(CLASSES, dtype=object))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return truth, np.array(CLASSES, dtype=object)[chances.argmax(axis=1)], chances


def measured(rows: int, seed: int = 0) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    truth = rng.normal(50, 10, size=rows)
    return truth, truth + rng.normal(1, 3, size=rows)


def test_a_classifiers_metrics_are_those_of_its_rows() -> None:
    truth, answered, chances = classified(3_000)
    expected = get_problem("classification").score(
        truth, Predictions(values=answered, probabilities=chances, classes=CLASSES)
    )
    found = quality_of_labels(tally_of_labels(truth, answered, chances, CLASSES))
    assert set(found) == set(expected)
    for name, estimate in found.items():
        exact = name not in {"roc_auc", "average_precision"}
        assert estimate.value == pytest.approx(expected[name], abs=1e-9 if exact else 0.002), name


def test_a_regressions_metrics_are_those_of_its_rows() -> None:
    truth, answered = measured(3_000)
    expected = get_problem("regression").score(truth, Predictions(values=answered))
    found = quality_of_numbers(tally_of_numbers(truth, answered))
    assert set(found) == set(expected)
    for name, estimate in found.items():
        tolerance = 0.05 * expected[name] if name == "median_absolute_error" else 1e-9
        assert estimate.value == pytest.approx(expected[name], abs=tolerance), name


def test_hours_add_up_to_their_whole_and_can_be_taken_away_again() -> None:
    truth, answered, chances = classified(400)
    parts = [
        tally_of_labels(truth[rows], answered[rows], chances[rows], CLASSES)
        for rows in (slice(0, 100), slice(100, 400))
    ]
    whole = tally_of_labels(truth, answered, chances, CLASSES)
    assert quality_of_labels(added(*parts))["log_loss"].value == pytest.approx(
        quality_of_labels(whole)["log_loss"].value
    )
    assert added(*parts)["confusion"] == whole["confusion"]
    left = added(whole, parts[0], times=-1)
    assert (left["rows"], left["confusion"]) == (300, parts[1]["confusion"])
    assert added(whole["confusion"], whole["confusion"], times=-1) == {}


def test_a_tally_survives_json() -> None:
    truth, answered = measured(50)
    tally = tally_of_numbers(truth, answered)
    assert quality_of_numbers(json.loads(json.dumps(tally))) == quality_of_numbers(tally)


@pytest.mark.parametrize("kind", ["labels", "numbers"])
def test_intervals_hold_the_truth_about_as_often_as_they_say(kind: str) -> None:
    held = 0
    if kind == "labels":
        whole = quality_of_labels(tally_of_labels(*classified(60_000, seed=99), CLASSES))["f1"].value
    else:
        whole = quality_of_numbers(tally_of_numbers(*measured(60_000, seed=99)))["rmse"].value
    for seed in range(150):
        if kind == "labels":
            found = quality_of_labels(tally_of_labels(*classified(200, seed), CLASSES))["f1"]
        else:
            found = quality_of_numbers(tally_of_numbers(*measured(200, seed)))["rmse"]
        assert found.low is not None
        assert found.high is not None
        held += found.low <= whole <= found.high
    assert 0.88 <= held / 150 <= 0.99


def test_a_detectors_scores_give_its_areas() -> None:
    rng = np.random.default_rng(0)
    truth = np.where(rng.uniform(size=2_000) < 0.1, "anomaly", "normal").astype(object)
    scores = np.clip(rng.normal(0.3, 0.1, size=2_000) + 0.3 * (truth == "anomaly"), 0, 1)
    found = quality_of_detector(tally_of_scores(truth, scores > 0.5, scores, "anomaly"), "anomaly")
    expected = get_problem("anomaly_detection").score(
        truth, Predictions(values=np.where(scores > 0.5, "anomaly", "normal").astype(object), scores=scores)
    )
    for name, estimate in found.items():
        exact = name not in {"roc_auc", "average_precision"}
        assert estimate.value == pytest.approx(expected[name], abs=1e-9 if exact else 0.005), name
    assert set(found) >= {"precision", "recall", "share_flagged", "roc_auc"}


def test_extreme_probabilities_and_errors_of_nothing_are_borne() -> None:
    certain = np.array([[1.0, 0.0], [0.0, 1.0]])
    labels = np.array(["a", "b"], dtype=object)
    found = quality_of_labels(tally_of_labels(labels, labels, certain, ["a", "b"]))
    assert found["roc_auc"].value == 1
    same = quality_of_numbers(tally_of_numbers(np.array([1.0, 0.0]), np.array([1.0, 0.0])))
    assert (same["mae"].value, same["median_absolute_error"].value, "mape" in same) == (0, 0, False)


def test_rows_without_probabilities_count_for_the_labels_alone() -> None:
    truth, answered, chances = classified(20)
    chances[:15] = np.nan
    tally = tally_of_labels(truth, answered, chances, CLASSES)
    assert (tally["rows"], tally["chances"]["rows"]) == (20, 5)


def test_no_rows_have_no_quality() -> None:
    nothing = np.array([], dtype=object)
    assert quality_of_labels(tally_of_labels(nothing, nothing)) == {}
    assert quality_of_numbers(tally_of_numbers(np.array([]), np.array([]))) == {}
