"""Answering a whole table."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
from django.conf import settings

from mlplatform.tenancy.actors import Actor
from registry.errors import InvalidRows
from registry.inference.bounds import Bounds
from registry.inference.files import frame_rows
from registry.inference.schema import MAX_ERRORS, RowError, check_rows
from registry.models import Prediction, RegisteredModel
from registry.models.registered_model import ProblemKind
from registry.services.plans import answering_version
from registry.services.row_checks import check_keys, invalid_rows
from registry.services.serving import predict
from registry.tabular.schema import Column, columns_from_json

# What the number beside a label is called in a table of answers.
SCORES: dict[str, str] = {ProblemKind.ANOMALY_DETECTION: "score", ProblemKind.CLUSTERING: "distance"}


def predict_frame(
    *,
    model: RegisteredModel,
    frame: pd.DataFrame,
    by: Actor,
    version: int | None = None,
    key_column: str | None = None,
    coverage: float | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Answer every row of the table by one version, and log each answer; no row is asked where one is wrong.

    ``key_column`` holds the client's names for the cases, which come back with the answers. Columns that the
    version does not know are left out. Returns a table of prediction_id, entity_key, prediction, an anomaly's
    score or the distance to a cluster, and ``p_<class>`` columns, in the rows' order. With ``coverage`` there
    stands beside each what holds the truth at least so often: ``interval_low`` and ``interval_high`` of a
    number, or in ``possible`` the classes that are not ruled out, as a JSON list with the likeliest first.
    ``on_progress`` is told how many rows are done, of how many.

    Raises what ``predict`` raises; rows are counted from 0.
    """
    answering = answering_version(model, version)
    columns = columns_from_json(answering.features)
    keys = _keys(frame, key_column)
    rows = frame_rows(_known(frame, columns), columns)
    errors = list(_errors(rows, columns)) + check_keys(keys, len(frame))
    if errors or not rows:
        empty: RowError = {"row": None, "field": None, "code": "empty", "message": "The table has no rows."}
        raise invalid_rows(errors[:MAX_ERRORS] or [empty], answering)
    answers: list[dict[str, Any]] = []
    for start, chunk in _chunks(rows):
        part = None if keys is None else keys[start : start + len(chunk)]
        asked = predict(
            model=model, rows=chunk, by=by, version=answering.number, entity_keys=part, coverage=coverage
        )
        names = part or [None] * len(chunk)
        answers += [_line(*answered) for answered in zip(asked.predictions, names, strict=True)]
        if on_progress is not None:
            on_progress(len(answers), len(rows))
    return pd.DataFrame(answers)


def _known(frame: pd.DataFrame, columns: list[Column]) -> pd.DataFrame:
    names = {column.name for column in columns}
    return frame[[name for name in frame.columns if str(name) in names]]


def _keys(frame: pd.DataFrame, key_column: str | None) -> list[str | None] | None:
    if key_column is None:
        return None
    if key_column not in frame.columns:
        message = f"The table has no column {key_column!r}."
        raise InvalidRows(
            message, fields=[{"row": None, "field": key_column, "code": "missing", "message": message}]
        )
    return [None if pd.isna(key) else str(key) for key in frame[key_column].tolist()]


def _chunks(rows: list[dict[str, Any]]) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    size = settings.MAX_PREDICTION_ROWS
    for start in range(0, len(rows), size):
        yield start, rows[start : start + size]


def _errors(rows: list[dict[str, Any]], columns: list[Column]) -> Iterator[RowError]:
    for start, chunk in _chunks(rows):
        for error in check_rows(chunk, columns):
            yield {**error, "row": error["row"] + start}


def _line(prediction: Prediction, key: str | None) -> dict[str, Any]:
    line: dict[str, Any] = {
        "prediction_id": str(prediction.pk),
        "entity_key": key or "",
        "prediction": prediction.label or prediction.value,
    }
    if prediction.label and prediction.value is not None:
        line[SCORES[prediction.model.problem_type]] = prediction.value
    line |= {f"p_{label}": share for label, share in (prediction.probabilities or {}).items()}
    return line | _beside(prediction.bounds)


def _beside(bounds: Bounds | None) -> dict[str, Any]:
    if bounds is None:
        return {}
    if bounds.interval is not None:
        return {"interval_low": bounds.interval[0], "interval_high": bounds.interval[1]}
    return {"possible": json.dumps(bounds.possible, ensure_ascii=False)}
