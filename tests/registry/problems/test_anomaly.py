"""Anomaly metrics against scikit-learn's and by hand; labels, outcomes and comparisons."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from registry.problems import InvalidOutcome, NotComparable, Predictions, UnusableTarget, get_problem
from registry.problems.anomaly import same_order
from registry.problems.ranking import at_k, average_precision, roc_auc

ANOMALIES = get_problem("anomaly_detection")


def answers(scores: list[float], threshold: float = 0.5) -> Predictions:
    numbers = np.array(scores)
    labels = np.where(numbers > threshold, "anomaly", "normal").astype(object)
    return Predictions(labels, scores=numbers)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("steps", [3, 1000])
def test_areas_are_scikit_learns_ties_included(seed: int, steps: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.random(200) < 0.1
    scores = np.round(rng.random(200) + 0.4 * truth, 3) // (1 / steps) / steps
    assert roc_auc(truth, scores) == pytest.approx(roc_auc_score(truth, scores))
    assert average_precision(truth, scores) == pytest.approx(average_precision_score(truth, scores))


def test_precision_and_recall_among_the_top_by_hand() -> None:
    truth = np.array([True, False, True, False, False])
    scores = np.array([0.9, 0.8, 0.7, 0.2, 0.1])
    assert at_k(truth, scores, 1) == (1.0, 0.5)
    assert at_k(truth, scores, 2) == (0.5, 0.5)
    assert at_k(truth, scores, 3) == pytest.approx((2 / 3, 1.0))
    # Two tie for one place, one of them an anomaly: half a hit.
    assert at_k(truth, np.array([0.9, 0.8, 0.8, 0.2, 0.1]), 2) == (0.75, 0.75)


def test_scores_by_hand() -> None:
    found = ANOMALIES.score([1, 0, 1, 0, np.nan], answers([0.9, 0.8, 0.3, 0.1, 0.95]))
    assert found["share_flagged"] == 0.6  # rows without a label count here alone
    assert (found["precision"], found["recall"]) == (0.5, 0.5)
    assert (found["precision_at_k"], found["recall_at_k"], found["k"]) == (0.5, 0.5, 2)
    assert found["roc_auc"] == 0.75
    assert found["average_precision"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_without_labels_of_both_kinds_only_the_flagged_are_counted() -> None:
    assert ANOMALIES.score([np.nan, np.nan], answers([0.9, 0.1])) == {"share_flagged": 0.5}
    assert ANOMALIES.score([0, 0], answers([0.9, 0.1])) == {"share_flagged": 0.5}
    assert ANOMALIES.score([], answers([])) == {}


def test_outcomes_as_words_score_like_numbers() -> None:
    said = answers([0.9, 0.2])
    assert ANOMALIES.score(["anomaly", "normal"], said) == ANOMALIES.score([1, 0], said)


class TestLabels:
    def test_many_spellings_are_read_and_no_row_is_dropped(self) -> None:
        column = pd.Series(["yes", "No", 1, 0.0, True, "'-1'", None, "outlier"], dtype=object)
        cleaned = ANOMALIES.clean_target(column)
        assert cleaned.fillna(9).tolist() == [1, 0, 1, 0, 1, 0, 9, 1]

    def test_a_word_that_says_nothing_is_refused(self) -> None:
        with pytest.raises(UnusableTarget, match="'perhaps', which does not say"):
            ANOMALIES.check_target(pd.Series(["yes", "no", "perhaps"], name="odd"))

    @pytest.mark.parametrize(("values", "lacking"), [([0, 0], "no row as an anomaly"), ([1, 1], "none")])
    def test_labels_of_one_kind_cannot_rank_detectors(self, values: list[int], lacking: str) -> None:
        with pytest.raises(UnusableTarget, match=lacking):
            ANOMALIES.check_target(pd.Series(values, name="odd"))

    def test_a_model_without_a_label_column_needs_none(self) -> None:
        unlabelled = get_problem("anomaly_detection", labelled=False)
        unlabelled.check_target(unlabelled.target_of(pd.DataFrame({"x": [1, 2]}), ""))
        assert unlabelled.primary_metric == "rank_stability"

    @pytest.mark.parametrize(("sent", "kept"), [(True, "anomaly"), ("no", "normal"), (1.0, "anomaly")])
    def test_outcomes_come_as_truths_numbers_or_words(self, sent: object, kept: str) -> None:
        assert ANOMALIES.parse_outcome(sent, None) == kept
        assert ANOMALIES.target_value(kept) == str(int(kept == "anomaly"))

    @pytest.mark.parametrize("sent", [None, float("nan"), 2, "maybe", ["yes"], {}])
    def test_other_outcomes_are_refused(self, sent: object) -> None:
        with pytest.raises(InvalidOutcome, match="whether the row was an anomaly"):
            ANOMALIES.parse_outcome(sent, None)


class TestComparison:
    truth = np.repeat([1.0, 0.0], [20, 180])

    def scored(self, gap: float, seed: int = 0) -> Predictions:
        rng = np.random.default_rng(seed)
        return answers(np.clip(rng.normal(0.3, 0.1, 200) + gap * (self.truth == 1), 0, 1).tolist())

    def test_labels_decide_by_average_precision(self) -> None:
        good, poor = self.scored(0.4), self.scored(0.05, seed=1)
        better = ANOMALIES.compare(self.truth, good, poor)
        worse = ANOMALIES.compare(self.truth, poor, good)
        assert (better.what, better.passed, worse.passed) == ("average precision", True, False)
        assert better.difference == pytest.approx(-worse.difference)
        assert not better.caveat

    def test_equal_detectors_pass(self) -> None:
        assert ANOMALIES.compare(self.truth, self.scored(0.2), self.scored(0.2)).passed

    def test_too_few_labels_are_said_and_a_flood_of_flags_is_stopped(self) -> None:
        unknown = np.full(200, np.nan)
        calm, flood = answers([0.9] * 10 + [0.1] * 190), answers([0.9] * 60 + [0.1] * 140)
        same = ANOMALIES.compare(unknown, calm, calm)
        assert (same.what, same.passed) == ("share flagged", True)
        assert "nobody can tell which version is right" in same.caveat
        assert not ANOMALIES.compare(unknown, flood, calm).passed
        assert ANOMALIES.compare(unknown, calm, flood).passed

    def test_a_single_row_compares_nothing(self) -> None:
        with pytest.raises(NotComparable):
            ANOMALIES.compare(np.array([np.nan]), answers([0.9]), answers([0.9]))


def test_the_order_is_compared_by_rank_and_a_constant_has_none() -> None:
    assert same_order(np.array([1.0, 2, 3]), np.array([10.0, 20, 90])) == pytest.approx(1)
    assert same_order(np.array([1.0, 2, 3]), np.array([3.0, 2, 1])) == pytest.approx(-1)
    assert same_order(np.ones(3), np.array([3.0, 2, 1])) == 0
