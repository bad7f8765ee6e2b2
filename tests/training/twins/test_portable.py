"""A twin with its preparation written into the graph answers as the pipeline, asked by any runtime."""

from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
import pytest

from registry.exchange.content import Refused
from registry.exchange.portable import portable
from registry.inference.native import predict
from registry.problems import get_problem
from registry.tabular.schema import NUMBER_TYPES, Column
from tests.training.twins.test_making import COLUMNS, FRAME, TARGETS, YES_NO
from training.automl import TrialSpec, fit_pipeline
from training.automl.deciding import Decision, Threshold, fit_decider
from training.automl.fitting import DecidingClassifier
from training.twins import make_twin

PLAIN = [column for column in COLUMNS if column.name not in {"seen", "notes"}]
ROWS = pd.concat([FRAME, FRAME.head(4).assign(ward="elsewhere", street="elsewhere", dose=1e6)])


def fitted(algorithm: str, problem: str, columns: list[Column] = PLAIN) -> Any:
    frame = FRAME[[column.name for column in columns]]
    return fit_pipeline(TrialSpec(algorithm, {}), frame, TARGETS[problem], columns, get_problem(problem), 0)


def asked(data: bytes, columns: list[Column]) -> dict[str, Any]:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    known = {column.name: column for column in columns}
    fed: dict[str, Any] = {}
    for one in session.get_inputs():
        values = ROWS[one.name]
        number = known[one.name].type in NUMBER_TYPES
        plain = values.to_numpy("float64") if number else values.fillna("").astype(object).to_numpy()
        fed[one.name] = plain.reshape(-1, 1)
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(names, fed), strict=True))


@pytest.mark.parametrize("algorithm", ["logistic_regression", "random_forest", "hist_gradient_boosting"])
def test_classes_and_their_probabilities_are_the_same(algorithm: str) -> None:
    pipeline = fitted(algorithm, "classification")
    classes = [str(label) for label in pipeline.classes_]
    told = asked(portable(make_twin(pipeline, classes), PLAIN), PLAIN)
    want = predict(pipeline, ROWS, classes)
    assert list(told["label"]) == list(want.values)
    assert want.probabilities is not None
    np.testing.assert_allclose(told["probabilities"], want.probabilities, atol=1e-9)


@pytest.mark.parametrize("algorithm", ["ridge", "random_forest"])
def test_numbers_are_the_same(algorithm: str) -> None:
    pipeline = fitted(algorithm, "regression")
    told = asked(portable(make_twin(pipeline, None), PLAIN), PLAIN)
    np.testing.assert_allclose(told["value"].reshape(-1), predict(pipeline, ROWS, None).values, rtol=1e-9)


def test_a_threshold_and_a_correction_go_along() -> None:
    frame = FRAME[[column.name for column in PLAIN]]
    spec = TrialSpec("logistic_regression", {})
    pipeline = fit_pipeline(spec, frame, YES_NO, PLAIN, get_problem("classification"), 0)
    classes = [str(label) for label in pipeline.classes_]
    answers = predict(pipeline, frame, classes)
    assert answers.probabilities is not None
    how = Decision(calibrate="sigmoid", threshold=Threshold(metric="f1"))
    decider = fit_decider(answers.probabilities, YES_NO.to_numpy(), classes, how)
    decided = DecidingClassifier(pipeline, decider)
    told = asked(portable(make_twin(decided, classes), PLAIN), PLAIN)
    want = predict(decided, ROWS, classes)
    assert list(told["label"]) == list(want.values)
    assert want.probabilities is not None
    np.testing.assert_allclose(told["probabilities"], want.probabilities, atol=1e-9)


def test_what_onnx_cannot_say_is_told() -> None:
    pipeline = fitted("logistic_regression", "classification", COLUMNS)
    twin = make_twin(pipeline, [str(label) for label in pipeline.classes_])
    with pytest.raises(Refused, match="dates or words"):
        portable(twin, COLUMNS)
