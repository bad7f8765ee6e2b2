"""Real datasets, models and versions for tests, made through the services in a fraction of a second.

Call them in a tenant's scope (the ``in_tenant`` fixture).
"""

from dataclasses import replace
from functools import cache
from typing import Any

import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.frames import dataset_frame
from registry.inference.native import predict
from registry.models import Dataset, ModelVersion, RegisteredModel
from registry.problems import get_problem
from registry.services.datasets import freeze
from registry.services.models import create_model
from registry.services.promotion import promote
from registry.services.versions import TrainedModel, announce_version, register_version, store_artifact
from registry.tabular.histograms import category_histogram, numeric_histogram
from registry.tabular.holdout import holdout_mask
from registry.tabular.profile import profile_frame
from registry.tabular.schema import Column, coerce_frame, infer_schema
from training.services.evaluating import Measured, evaluation_of

TARGETS = {"cancer": "diagnosis", "diabetes": "progression"}
PROBLEM_TYPES = {"cancer": "classification", "diabetes": "regression"}
_TRAINED: dict[tuple[str, str], TrainedModel] = {}


@cache
def _frame(name: str) -> pd.DataFrame:
    data: pd.DataFrame
    if name == "cancer":
        data = load_breast_cancer(as_frame=True).frame.copy()
        labels = data.pop("target").map({0: "malignant", 1: "benign"}).astype("str")
        renamed = data.rename(columns=lambda column: str(column).replace(" ", "_"))
        return renamed.assign(diagnosis=labels)
    data = load_diabetes(as_frame=True).frame
    return data.rename(columns={"target": "progression"})


def table(name: str = "cancer") -> pd.DataFrame:
    """Return the table ``cancer`` (569 rows, target diagnosis) or ``diabetes`` (442 rows, progression)."""
    return _frame(name).copy()


def make_dataset(name: str = "cancer", frame: pd.DataFrame | None = None) -> Dataset:
    """Return the table, or the frame given, as a frozen dataset."""
    return freeze(
        name=name, frame=table(name) if frame is None else frame, by=SYSTEM, origin={"kind": "test"}
    )[0]


def make_model(name: str | None = None, *, data: str = "cancer") -> RegisteredModel:
    """Return a new model that fits the table ``data``; it is named after it where no name is given."""
    return create_model(name=name or data, problem_type=PROBLEM_TYPES[data], target=TARGETS[data], by=SYSTEM)


def make_version(
    model: RegisteredModel | None = None, *, dataset: Dataset | None = None, **changes: Any
) -> ModelVersion:
    """Return a trained version; ``changes`` replace fields of its ``TrainedModel`` beforehand."""
    model = model or make_model()
    data = next(name for name, target in TARGETS.items() if target == model.target)
    trained = train(model, dataset or make_dataset(data))
    if changes:
        trained = replace(trained, **changes)
    artifact = store_artifact(trained)
    with tenant_transaction():
        version = register_version(model=model, trained=trained, artifact=artifact, by=SYSTEM)
        announce_version(version)
    return version


def make_champion(model: RegisteredModel | None = None, **changes: Any) -> ModelVersion:
    """Return a version that is its model's champion."""
    version = make_version(model, **changes)
    promote(model=version.model, version=version, by=SYSTEM, reason="first", override=True)
    return version


def rows_of(version: ModelVersion, count: int = 1, *, start: int = 0) -> list[dict[str, Any]]:
    """Return rows that fit the version, ready to be sent as JSON."""
    names = [column["name"] for column in version.features]
    with tenant_scope(version.tenant):
        frame = dataset_frame(version.dataset)[names].iloc[start : start + count]
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def train(model: RegisteredModel, dataset: Dataset) -> TrainedModel:
    """Return a small linear model of the dataset, scored on its hold-out; the same data is fitted once."""
    known = (dataset.content_hash, model.target)
    if known not in _TRAINED:
        _TRAINED[known] = _train(model, dataset)
    return replace(_TRAINED[known], dataset=dataset)


def _train(model: RegisteredModel, dataset: Dataset) -> TrainedModel:
    problem = get_problem(model.problem_type)
    raw = dataset_frame(dataset)
    columns = [column for column in infer_schema(raw) if column.name != model.target]
    target = problem.clean_target(raw[model.target])
    frame = coerce_frame(raw.loc[target.index], columns)
    held_out = pd.Series(holdout_mask(raw, model.target), index=raw.index).loc[target.index].to_numpy()
    pipeline = _pipeline(model.problem_type).fit(frame[~held_out], target[~held_out])
    classes = [str(label) for label in pipeline.classes_] if hasattr(pipeline, "classes_") else None
    answers = predict(pipeline, frame[held_out], classes)
    importance = [{"feature": columns[0].name, "mean": 0.1, "std": 0.01}]
    rows, truth = frame[held_out], target[held_out]
    measured = Measured(problem, pipeline, classes, columns, rows, truth, answers, importance)
    return TrainedModel(
        pipeline=pipeline,
        algorithm="logistic_regression" if classes else "ridge",
        params={},
        features=columns,
        classes=classes,
        metrics=problem.score(target[held_out].to_numpy(), answers),
        cv_metrics={},
        importance=importance,
        reference=_reference(frame[~held_out], columns, pd.Series(answers.values), bool(classes)),
        dataset=dataset,
        holdout_rows=int(held_out.sum()),
        environment={"python": "3.11"},
        sample=frame.head(5),
        seed=0,
        **evaluation_of(measured, {"seed": 0}),
    )


def _pipeline(problem_type: str) -> Pipeline:
    model = LogisticRegression(max_iter=500) if problem_type == "classification" else Ridge()
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    inputs = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_include="str")),
    )
    return make_pipeline(inputs, model)


def _reference(
    frame: pd.DataFrame, columns: list[Column], answers: "pd.Series[Any]", labelled: bool
) -> dict[str, Any]:
    profiles = profile_frame(frame, columns)["columns"]
    histograms = {name: profile["histogram"] for name, profile in profiles.items() if "histogram" in profile}
    histograms["prediction"] = category_histogram(answers) if labelled else numeric_histogram(answers)
    return histograms
