"""Real datasets, models and versions for tests, made through the services in a fraction of a second.

Call them in a tenant's scope (the ``in_tenant`` fixture).
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
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
from mlplatform.tenancy.services.usage import require_room
from registry.frames import dataset_frame
from registry.inference.native import predict
from registry.models import Dataset, ModelVersion, RegisteredModel
from registry.problems import get_problem
from registry.services import datasets
from registry.services.models import create_model
from registry.services.promotion import promote
from registry.services.versions import TrainedModel, announce_version, register_version, store_artifact
from registry.storage import content_path, read_bytes, write_file_once
from registry.tabular.histograms import category_histogram, numeric_histogram
from registry.tabular.holdout import holdout_mask
from registry.tabular.profile import profile_frame
from registry.tabular.schema import Column, coerce_frame, infer_schema
from training.services.evaluating import Measured, evaluation_of

TARGETS = {"cancer": "diagnosis", "diabetes": "progression"}
PROBLEM_TYPES = {"cancer": "classification", "diabetes": "regression"}
DESCRIBED = ("content_hash", "size_bytes", "rows", "columns", "profile")
_TRAINED: dict[tuple[str, str], TrainedModel] = {}


@dataclass(frozen=True)
class Frozen:
    """What freezing a table comes to: the file's content, and the fields of the row that tell of it."""

    content: bytes
    fields: dict[str, Any]


_FROZEN: dict[str, Frozen] = {}


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
    """Return the table, or the frame given, as a frozen dataset; a table is written and described once."""
    origin = {"kind": "test"}
    if frame is not None:
        return datasets.freeze(name=name, frame=frame, by=SYSTEM, origin=origin)[0]
    frozen = _FROZEN.get(name)
    if frozen is not None and not Dataset.objects.filter(content_hash=frozen.fields["content_hash"]).exists():
        return _stored_again(Dataset(name=name, origin=origin), frozen)
    dataset, created = datasets.freeze(name=name, frame=table(name), by=SYSTEM, origin=origin)
    if created and frozen is None:
        fields = {field: deepcopy(getattr(dataset, field)) for field in DESCRIBED}
        _FROZEN[name] = Frozen(read_bytes(dataset.file), fields)
    return dataset


def _stored_again(dataset: Dataset, frozen: Frozen) -> Dataset:
    """Store the file and the row as the service does once it has described a table."""
    for field, value in deepcopy(frozen.fields).items():
        setattr(dataset, field, value)
    require_room(storage_bytes=dataset.size_bytes, stored_rows=dataset.rows)
    dataset.file = content_path("datasets", dataset.content_hash)
    write_file_once(dataset.file, BytesIO(frozen.content), sha256=dataset.content_hash)
    return datasets._stored(dataset, {}, SYSTEM)[0]


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
