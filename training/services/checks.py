"""Checks of a dataset for a model, before it is trained."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from registry.models import Dataset, RegisteredModel
from registry.models.registered_model import CheckPolicy
from registry.tabular.errors import SchemaMismatch, TooFewRows
from registry.tabular.schema import Column, columns_from_json
from training.checks import Finding, Material, Verdict, check_data, worst
from training.errors import TrainingFailed
from training.services.configs import check_dataset
from training.services.tables import Table


def check_for_training(*, model: RegisteredModel, dataset: Dataset) -> list[Finding]:
    """Check a dataset without training; raises UnusableData where it does not fit the model at all."""
    check_dataset(model, dataset)
    return findings_of(model, Table.of(model, dataset))


def findings_of(model: RegisteredModel, table: Table) -> list[Finding]:
    """Return what every check finds in the dataset's rows."""
    features = table.features
    if model.target:
        features = features.assign(**{model.target: table.frame[model.target]})
    try:
        held_out = table.held_out
    except (TooFewRows, SchemaMismatch):
        held_out = np.zeros(len(features), dtype=bool)
    material = Material(
        features, model.target, table.columns, model.problem, held_out, _latest_columns(model)
    )
    return check_data(material)


def enforce(model: RegisteredModel, findings: Sequence[Finding]) -> None:
    """Raise TrainingFailed where the model is not to be trained on data with findings.

    What makes a training impossible is refused, with its own code, when the rows are prepared.
    """
    if model.data_checks == CheckPolicy.BLOCK and worst(findings) is Verdict.warning:
        raise TrainingFailed(
            "The data checks stopped the training: "
            + " ".join(finding.message for finding in findings if finding.verdict is not Verdict.passed),
            code="data_checks_failed",
        )


def as_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return the findings as they are stored and shown."""
    plain: list[dict[str, Any]] = msgspec.to_builtins(list(findings))
    return plain


def _latest_columns(model: RegisteredModel) -> list[Column] | None:
    latest = model.versions.order_by("-number").values_list("features", flat=True).first()
    return None if latest is None else columns_from_json(latest)
