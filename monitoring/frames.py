"""Logged predictions as data frames."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from django.db.models import QuerySet

from mlplatform.tenancy.scope import tenant_transaction
from registry.models import ModelVersion, Prediction
from registry.models.registered_model import ProblemKind
from registry.tabular.schema import coerce_frame, columns_from_json


@dataclass(frozen=True)
class AskedRows:
    """What a version was asked, in the canonical types of its features, and what it answered."""

    features: pd.DataFrame
    answers: "pd.Series[Any]"


def predictions_between(version: ModelVersion, since: datetime, until: datetime) -> "QuerySet[Prediction]":
    """Return the version's predictions made in [since, until)."""
    return Prediction.objects.filter(version=version, created_at__gte=since, created_at__lt=until)


def asked_rows(version: ModelVersion, since: datetime, until: datetime, *, limit: int) -> AskedRows:
    """Return the newest ``limit`` rows that the version was asked in [since, until)."""
    labelled = version.model.problem_type == ProblemKind.CLASSIFICATION
    rows = predictions_between(version, since, until).order_by("-created_at", "-pk")
    with tenant_transaction():
        found = list(rows.values_list("features", "label" if labelled else "value")[:limit])
    columns = columns_from_json(version.features)
    names = [column.name for column in columns]
    frame = pd.DataFrame([features for features, _ in found], columns=names)
    answers = pd.Series([answer for _, answer in found], dtype="str" if labelled else "float64")
    return AskedRows(coerce_frame(frame, columns), answers)
