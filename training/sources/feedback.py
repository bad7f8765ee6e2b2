"""Rows that the platform answered and that turned out: the data of retraining."""

from datetime import datetime

import pandas as pd

from feedback.frames import asked_features, labelled_features
from registry.models import RegisteredModel


def labelled_predictions(model: RegisteredModel, since: datetime | None = None) -> pd.DataFrame:
    """Return answered rows' features with what really happened under the target's name, oldest first."""
    return labelled_features(model, since=since)


def new_rows(model: RegisteredModel) -> pd.DataFrame:
    """Return what a model can learn from of its own answers.

    Rows whose outcome is known; of a model without a target all rows asked, for it learns without outcomes.
    """
    if not model.target:
        return asked_features(model)
    labelled = labelled_predictions(model)
    return labelled[labelled[model.target].notna()] if len(labelled) else labelled


def aligned(rows: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    """Bring rows that went through JSON back to the column types of ``like``; unknown columns are left out.

    A column of ``like`` that the rows lack is missing there. A value that is no longer of the column's kind
    becomes missing too, rather than turning the whole column into text.
    """
    columns = {name: _as_dtype(rows, name, like[name]) for name in like.columns}
    return pd.DataFrame(columns, index=rows.index)


def _as_dtype(rows: pd.DataFrame, name: str, like: pd.Series) -> pd.Series:
    values = rows[name] if name in rows.columns else pd.Series(None, index=rows.index, dtype="object")
    if pd.api.types.is_bool_dtype(like.dtype):
        return values.map(_as_bool).astype("boolean")
    if pd.api.types.is_numeric_dtype(like.dtype):
        return pd.to_numeric(values, errors="coerce")
    if pd.api.types.is_datetime64_any_dtype(like.dtype):
        moments = pd.to_datetime(values, errors="coerce", utc=True, format="ISO8601")
        return moments.dt.tz_convert(None) if like.dt.tz is None else moments.dt.tz_convert(like.dt.tz)
    return values.astype("str")


def _as_bool(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())
