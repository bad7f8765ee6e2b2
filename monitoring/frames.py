"""Logged predictions as data frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db.models import QuerySet

from mlplatform.tenancy.scope import tenant_transaction
from registry.models import ModelVersion, Prediction
from registry.privacy.treatment import marks_of
from registry.services.pseudonyms import treater
from registry.tabular.schema import (
    UNUSED_TYPES,
    Column,
    ColumnType,
    Treatment,
    coerce_frame,
    columns_from_json,
)


@dataclass(frozen=True)
class AskedRows:
    """What a version was asked, in the canonical types of its features, and what it answered.

    Of personal columns there are categories alone, as pseudonyms: the log keeps no other true values.
    ``mistyped`` tells, of columns where there are any, which values were not sent in the column's type.
    """

    features: pd.DataFrame
    answers: "pd.Series[Any]"
    mistyped: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)

    def take(self, places: npt.NDArray[np.int64]) -> "AskedRows":
        """Return the rows at these positions."""
        mistyped = {name: wrong[places] for name, wrong in self.mistyped.items()}
        return AskedRows(self.features.iloc[places], self.answers.iloc[places], mistyped)


def predictions_between(version: ModelVersion, since: datetime, until: datetime) -> "QuerySet[Prediction]":
    """Return the version's predictions made in [since, until)."""
    return Prediction.objects.filter(version=version, created_at__gte=since, created_at__lt=until)


def asked_rows(version: ModelVersion, since: datetime, until: datetime, *, limit: int) -> AskedRows:
    """Return the newest ``limit`` rows that the version was asked in [since, until)."""
    rows = predictions_between(version, since, until).order_by("-created_at", "-pk")
    with tenant_transaction():
        found = list(rows.only("features", "label", "value")[:limit])
    return frame_of(version, found)


def frame_of(version: ModelVersion, rows: Sequence[Prediction]) -> AskedRows:
    """Return the version's predictions as columns, in the order of the rows."""
    labelled = version.model.problem.watched == "label"
    answered = [row.label if labelled else row.value for row in rows]
    return asked_of(version, [row.features for row in rows], answered)


def asked_of(
    version: ModelVersion, features: Sequence[Mapping[str, Any]], answered: Sequence[Any]
) -> AskedRows:
    """Return what was asked, by the names of features, and answered, as columns in the order of the rows."""
    labelled = version.model.problem.watched == "label"
    columns = [column for column in columns_from_json(version.features) if is_watched(column)]
    values = {one.name: [row.get(one.name, np.nan) for row in features] for one in columns}
    frame = pd.DataFrame(values, index=range(len(features)))
    answers = pd.Series(answered, dtype="str" if labelled else "float64")
    treat = treater(marks_of(columns))
    return AskedRows(treat.frame(coerce_frame(frame, columns)), answers, _mistyped(frame, columns))


def _mistyped(frame: pd.DataFrame, columns: Sequence[Column]) -> dict[str, npt.NDArray[np.bool_]]:
    """Tell which numbers came as text, and which whole ones as fractions."""
    found: dict[str, npt.NDArray[np.bool_]] = {}
    for column in columns:
        if column.type not in (ColumnType.numeric, ColumnType.integer):
            continue
        values = frame[column.name]
        if pd.api.types.is_object_dtype(values) or pd.api.types.is_string_dtype(values):
            wrong = np.array([isinstance(value, str) for value in values], dtype=bool)
        elif column.type is ColumnType.integer and pd.api.types.is_float_dtype(values):
            numbers = values.to_numpy(dtype="float64")
            wrong = np.isfinite(numbers) & (numbers != np.floor(numbers))
        else:
            continue
        if wrong.any():
            found[column.name] = wrong
    return found


def is_watched(column: Column) -> bool:
    """Tell whether drift of the column can be seen: in true values, or in a category's pseudonyms."""
    categories = column.type is ColumnType.category and column.personal is Treatment.pseudonymise
    return column.personal is None or categories


def unwatched(version: ModelVersion) -> list[str]:
    """Return the features whose drift is not watched, because they are personal."""
    columns = columns_from_json(version.features)
    return [one.name for one in columns if not is_watched(one) and one.type not in UNUSED_TYPES]
