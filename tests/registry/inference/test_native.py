import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier

from registry.inference.native import predict

FRAME = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]})
LABELS = np.asarray(["no", "no", "yes", "yes"], dtype=object)


def test_a_classifier_answers_labels_and_probabilities() -> None:
    model = LogisticRegression().fit(FRAME, LABELS)
    answers = predict(model, FRAME, None)
    assert answers.values.tolist() == model.predict(FRAME).tolist()
    assert answers.classes == ["no", "yes"]
    assert answers.probabilities is not None
    assert answers.probabilities.sum(axis=1) == pytest.approx(1)


def test_probabilities_come_in_the_order_asked_for() -> None:
    model = LogisticRegression().fit(FRAME, LABELS)
    answers = predict(model, FRAME, ["yes", "maybe", "no"])
    assert answers.probabilities is not None
    assert answers.probabilities[:, 1].tolist() == [0.0] * 4
    assert answers.probabilities[0, 2] > answers.probabilities[0, 0]


def test_a_classifier_without_probabilities_answers_labels() -> None:
    answers = predict(RidgeClassifier().fit(FRAME, LABELS), FRAME, None)
    assert answers.values.tolist() == LABELS.tolist()
    assert answers.probabilities is None


def test_a_regression_answers_floats() -> None:
    answers = predict(LinearRegression().fit(FRAME, FRAME["x"] * 2), FRAME.head(1), None)
    assert answers.values.shape == (1,)
    assert answers.values[0] == pytest.approx(0)
    assert answers.classes is None
