"""What is measured of a version: on real data, with a real model."""

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from registry.inference.native import predict
from registry.problems import Predictions, get_problem
from registry.tabular.schema import Column, ColumnType
from training.evaluation.dependence import partial_dependence
from training.evaluation.report import Evaluation, Evidence, evaluate

Tables = tuple[pd.DataFrame, np.ndarray]


def columns_of(frame: pd.DataFrame) -> list[Column]:
    return [Column(str(name), ColumnType.numeric, nullable=False) for name in frame.columns]


@pytest.fixture(scope="module")
def cancer() -> Evidence:
    data = load_breast_cancer(as_frame=True)
    frame, truth = data.data.iloc[:, :6], np.where(data.target == 1, "benign", "malignant").astype(object)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame[:350], truth[:350])
    classes = ["benign", "malignant"]
    chances = cross_val_predict(model, frame[:350], truth[:350], method="predict_proba")
    seen = (
        truth[:350],
        Predictions(np.asarray(classes, dtype=object)[chances.argmax(axis=1)], chances, classes),
    )
    held = frame[350:].assign(ward=np.where(np.arange(219) % 3, "north", "south"))
    columns = [*columns_of(frame), Column("ward", ColumnType.category, nullable=False)]
    return Evidence(
        problem=get_problem("classification"),
        pipeline=model,
        classes=classes,
        frame=held,
        truth=truth[350:],
        answers=predict(model, frame[350:], classes),
        columns=columns,
        fair=["ward"],
        favourable="benign",
        seen=seen,
    )


@pytest.fixture(scope="module")
def diabetes() -> Evidence:
    data = load_diabetes(as_frame=True)
    model = Ridge().fit(data.data[:250], data.target[:250])
    held = data.data[250:]
    return Evidence(
        problem=get_problem("regression"),
        pipeline=model,
        classes=None,
        frame=held,
        truth=data.target[250:].to_numpy(),
        answers=predict(model, held, None),
        columns=columns_of(held),
    )


def without_ward(evidence: Evidence) -> Evidence:
    return msgspec.structs.replace(
        evidence, frame=evidence.frame.drop(columns="ward"), columns=evidence.columns[:-1], fair=()
    )


def test_a_classifier_is_measured_in_every_respect(cancer: Evidence) -> None:
    plain = without_ward(cancer)
    found, kept = evaluate(plain)
    assert found.rows == 219
    scores = plain.problem.score(plain.truth, plain.answers)
    assert set(found.intervals) == set(scores)
    assert all(
        found.intervals[name][0] <= scores[name] <= found.intervals[name][1] for name in ("f1", "roc_auc")
    )
    assert sum(map(sum, found.confusion.matrix)) == 219 if found.confusion else False
    assert [one["label"] for one in found.by_class] == ["benign", "malignant"]
    area = roc_auc_score(plain.truth == "malignant", plain.answers.probabilities[:, 1])  # type: ignore[index]
    assert found.curves["malignant"].roc.area == pytest.approx(area)
    assert kept is not None
    assert kept.rows == 350
    assert [one.promised for one in found.coverage] == [0.8, 0.9, 0.95]
    assert all(one.measured > one.promised - 0.08 for one in found.coverage)
    assert msgspec.convert(msgspec.to_builtins(found), Evaluation) == found


def test_groups_are_compared_where_a_column_is_named(cancer: Evidence) -> None:
    blind = msgspec.structs.replace(without_ward(cancer), frame=cancer.frame, columns=cancer.columns[-1:])
    fair = msgspec.structs.replace(blind, fair=["ward"], pipeline=_Blind(cancer.pipeline))
    found, _ = evaluate(fair)
    assert {gap.measure for gap in found.gaps} >= {"selection_rate", "true_positive_rate", "f1"}
    assert [(one.value, one.rows) for one in found.slices] == [("north", 146), ("south", 73)]


class _Blind:
    """Asks the model without the column that it does not know."""

    def __init__(self, model: LogisticRegression) -> None:
        self.model, self.classes_ = model, model.classes_

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        chances: np.ndarray = self.model.predict_proba(frame.drop(columns="ward"))
        return chances


def test_a_regression_without_answers_out_of_fold_is_calibrated_on_its_hold_out(diabetes: Evidence) -> None:
    found, kept = evaluate(diabetes)
    assert kept is not None
    assert kept.rows == len(diabetes.truth)
    assert [one.measured for one in found.coverage] == pytest.approx([0.8, 0.9, 0.95], abs=0.06)
    assert found.coverage[0].size < found.coverage[2].size
    assert found.residuals is not None
    assert len(found.residuals.x) == len(diabetes.truth)


def test_dependence_of_a_linear_model_is_its_slope(diabetes: Evidence) -> None:
    bmi = next(column for column in diabetes.columns if column.name == "bmi")
    (found,) = partial_dependence(diabetes.pipeline, diabetes.frame, [bmi], diabetes.problem, None)
    slope = np.polyfit(np.asarray(found.values, dtype=float), found.lines[""], 1)[0]
    assert slope == pytest.approx(diabetes.pipeline.coef_[list(diabetes.frame.columns).index("bmi")])


def test_dependence_shows_one_of_two_classes_and_the_frequent_categories(cancer: Evidence) -> None:
    ward = cancer.columns[-1]
    (found,) = partial_dependence(
        _Blind(cancer.pipeline), cancer.frame, [ward], cancer.problem, cancer.classes
    )
    assert found.values == ["north", "south"]
    assert list(found.lines) == ["malignant"]
    assert found.lines["malignant"][0] == pytest.approx(found.lines["malignant"][1])
