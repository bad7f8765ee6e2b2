import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from registry.problems import InvalidOutcome, Predictions, UnusableTarget, confusion, get_problem
from registry.problems.class_metrics import confusion_matrix, scores_by_class

PROBLEM = get_problem("classification")
CLASSES = ["a", "b", "c"]


@pytest.fixture
def answers() -> tuple[np.ndarray, Predictions]:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet([1, 1, 1], 200)
    values = np.asarray(CLASSES, dtype=object)[probabilities.argmax(axis=1)]
    return rng.choice(CLASSES, 200).astype(object), Predictions(values, probabilities, CLASSES)


def test_the_metrics_agree_with_scikit_learn(answers: tuple[np.ndarray, Predictions]) -> None:
    truth, predictions = answers
    y, p = truth.astype(str), predictions.values.astype(str)
    expected = {
        "accuracy": metrics.accuracy_score(y, p),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, p),
        "precision": metrics.precision_score(y, p, average="macro"),
        "recall": metrics.recall_score(y, p, average="macro"),
        "f1": metrics.f1_score(y, p, average="macro"),
        "precision_weighted": metrics.precision_score(y, p, average="weighted"),
        "recall_weighted": metrics.recall_score(y, p, average="weighted"),
        "f1_weighted": metrics.f1_score(y, p, average="weighted"),
        "mcc": metrics.matthews_corrcoef(y, p),
        "average_precision": metrics.average_precision_score(
            y[:, None] == np.asarray(CLASSES), predictions.probabilities, average="macro"
        ),
        "log_loss": metrics.log_loss(y, predictions.probabilities, labels=CLASSES),
        "brier": metrics.brier_score_loss(y, predictions.probabilities, labels=CLASSES),
        "roc_auc": metrics.roc_auc_score(y, predictions.probabilities, multi_class="ovr"),
    }
    found = PROBLEM.score(truth, predictions)
    assert found.pop("ece") > 0  # scikit-learn has none; see below
    assert found == pytest.approx(expected)
    assert {*expected, "ece"} == {metric.name for metric in PROBLEM.metrics}


def test_the_calibration_error_by_hand() -> None:
    """Two rows said at 0.9, one right; two at 0.6, both right: (|1.8 - 1| + |1.2 - 2|) / 4."""
    chances = np.asarray([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    values = np.asarray(["a", "a", "b", "b"], dtype=object)
    scores = PROBLEM.score(["a", "b", "b", "b"], Predictions(values, chances, ["a", "b"]))
    assert scores["ece"] == pytest.approx((0.8 + 0.8) / 4)


def test_honest_probabilities_have_next_to_no_calibration_error() -> None:
    rng = np.random.default_rng(0)
    chance = rng.uniform(size=20_000)
    truth = np.where(rng.uniform(size=20_000) < chance, "yes", "no").astype(object)
    chances = np.column_stack([1 - chance, chance])
    values = np.where(chance > 0.5, "yes", "no").astype(object)
    assert PROBLEM.score(truth, Predictions(values, chances, ["no", "yes"]))["ece"] < 0.02


def test_scores_by_class_agree_with_scikit_learn(answers: tuple[np.ndarray, Predictions]) -> None:
    truth, predictions = answers
    y, p = truth.astype(str), predictions.values.astype(str)
    found = scores_by_class(*confusion_matrix(truth, predictions.values))
    expected = metrics.precision_recall_fscore_support(y, p, labels=CLASSES)
    assert [row["label"] for row in found] == CLASSES
    for name, column in zip(("precision", "recall", "f1", "rows"), expected, strict=True):
        assert [row[name] for row in found] == pytest.approx(list(column))


def test_two_classes_have_the_plain_brier_score() -> None:
    probabilities = np.asarray([[0.8, 0.2], [0.4, 0.6]])
    scores = PROBLEM.score(
        ["a", "a"], Predictions(np.asarray(["a", "b"], dtype=object), probabilities, ["a", "b"])
    )
    assert scores["brier"] == pytest.approx((0.2**2 + 0.6**2) / 2)


def test_an_undefined_metric_is_left_out() -> None:
    one_class = Predictions(np.asarray(["a"], dtype=object), np.asarray([[1.0, 0.0]]), ["a", "b"])
    scores = PROBLEM.score(["a"], one_class)
    assert "roc_auc" not in scores
    assert scores["accuracy"] == 1.0
    assert PROBLEM.score([], one_class.take(np.asarray([], dtype=int))) == {}


def test_without_probabilities_only_labels_are_scored() -> None:
    scores = PROBLEM.score(["a", "b"], Predictions(np.asarray(["a", "a"], dtype=object)))
    assert scores["accuracy"] == 0.5
    assert "log_loss" not in scores


def test_a_class_the_model_never_saw_is_a_finite_loss() -> None:
    predictions = Predictions(
        np.asarray(["a", "b"], dtype=object), np.asarray([[0.9, 0.1], [0.1, 0.9]]), ["a", "b"]
    )
    scores = PROBLEM.score(["a", "new"], predictions)
    assert all(np.isfinite(value) for value in scores.values())
    assert scores["log_loss"] > 10


def test_row_scores_are_right_or_wrong() -> None:
    predictions = Predictions(np.asarray(["1", "0"], dtype=object))
    assert PROBLEM.row_scores(["1", "1"], predictions).tolist() == [1.0, 0.0]


def test_the_confusion_matrix_has_the_truth_in_rows() -> None:
    found = confusion(["a", "a", "b"], Predictions(np.asarray(["a", "b", "b"], dtype=object)))
    assert found == {"labels": ["a", "b"], "matrix": [[1, 1], [0, 1]]}


def test_labels_are_text_and_rows_without_one_are_dropped() -> None:
    cleaned = PROBLEM.clean_target(pd.Series([1.0, np.nan, 0.0], index=[5, 6, 7]))
    assert cleaned.to_dict() == {5: "1", 7: "0"}


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([None, None], "holds no value"),
        (["a", "a", None], "one class"),
        (["a"] * 5 + ["b"] * 5 + ["c"], "too rare: 'c'"),
        (list(np.linspace(0, 1, 500)), "Train a regression"),
    ],
)
def test_an_unusable_target_is_refused_with_advice(values: list[object], text: str) -> None:
    with pytest.raises(UnusableTarget, match=text):
        PROBLEM.check_target(pd.Series(values, name="diagnosis"))


def test_a_usable_target_passes() -> None:
    PROBLEM.check_target(pd.Series(["a", "a", "b", "b", None]))


@pytest.mark.parametrize(
    ("value", "classes", "label"),
    [
        (1, ["0", "1"], "1"),
        (1.0, ["0", "1"], "1"),
        ("1.0", ["0", "1"], "1"),
        (True, ["false", "true"], "true"),
        ("YES", ["no", "yes"], "yes"),
        ("anything", None, "anything"),
    ],
)
def test_an_outcome_is_read_as_the_model_spells_it(
    value: object, classes: list[str] | None, label: str
) -> None:
    assert PROBLEM.parse_outcome(value, classes) == label


@pytest.mark.parametrize("value", ["z", None, "", float("nan"), ["a"], {"a": 1}])
def test_an_outcome_that_is_no_class_is_refused(value: object) -> None:
    with pytest.raises(InvalidOutcome):
        PROBLEM.parse_outcome(value, ["a", "b"])


def test_an_ambiguous_spelling_is_refused() -> None:
    with pytest.raises(InvalidOutcome, match="Send one of: Aa, aA"):
        PROBLEM.parse_outcome("aa", ["Aa", "aA"])
