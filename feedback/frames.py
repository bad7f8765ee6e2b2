"""Predictions whose outcome is known, as data frames."""

from datetime import datetime
from typing import Any

import pandas as pd
from django.db.models import QuerySet

from feedback.models import Outcome
from mlplatform.tenancy.scope import tenant_transaction
from registry.models import ModelVersion, Prediction, RegisteredModel, Rollout

MOST_ASKED = 100_000
COLUMNS = ["prediction_id", "version_id", "created_at", "predicted", "actual", "score"]


def labelled_frame(
    model: RegisteredModel,
    version: ModelVersion | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> pd.DataFrame:
    """Return one row for each prediction with a known outcome that was made in [since, until).

    Columns: prediction_id, version_id, created_at, predicted, actual (labels as text, or floats), score (the
    number behind a label, such as an anomaly's) and ``p_<class>`` for each class where the predictions carry
    probabilities. Oldest prediction first.
    """
    rows = _labelled(model)
    if version is not None:
        rows = rows.filter(prediction__version=version)
    if since is not None:
        rows = rows.filter(prediction__created_at__gte=since)
    if until is not None:
        rows = rows.filter(prediction__created_at__lt=until)
    kind = model.problem.outcome or "label"
    fields = (
        "prediction_id",
        "prediction__version_id",
        "prediction__created_at",
        f"prediction__{kind}",
        kind,
        "prediction__value",
    )
    with tenant_transaction():
        found = list(
            rows.order_by("prediction__created_at", "prediction_id").values_list(
                *fields, "prediction__probabilities"
            )
        )
    frame = pd.DataFrame([row[:-1] for row in found], columns=COLUMNS)
    return frame.join(_probabilities([row[-1] for row in found]))


def dealt_frame(rollout: Rollout, since: datetime | None = None) -> pd.DataFrame:
    """Return one row for each case that the rollout dealt out and whose outcome came in since then, or ever.

    Columns: unit (what was dealt as one: the case's pseudonym, or the request), version_id, created_at (of
    the prediction), predicted, actual (labels as text, or floats), given (the probability that the answer
    gave to what happened; missing where it gave none). In the order in which the outcomes came in; of
    several predictions of one case the first whose outcome is known counts, for the others were not left to
    chance.
    """
    kind = rollout.model.problem.outcome or "label"
    fields = ("entity_key", "request_id", "version_id", "created_at", kind, "probabilities")
    rows = _labelled(rollout.model).filter(prediction__rollout=rollout).order_by("received_at", "pk")
    if since is not None:
        rows = rows.filter(received_at__gte=since)
    with tenant_transaction():
        found = list(rows.values_list(*(f"prediction__{name}" for name in fields), kind))
    cases = [
        (entity or request, version, at, predicted, actual, (chances or {}).get(actual))
        for entity, request, version, at, predicted, chances, actual in found
    ]
    frame = pd.DataFrame(cases, columns=["unit", "version_id", "created_at", "predicted", "actual", "given"])
    return frame.drop_duplicates("unit", ignore_index=True).astype({"given": "float64"})


def known_since(model: RegisteredModel, since: datetime, most: int) -> int:
    """Return how many of the model's outcomes came in at ``since`` or later, counted up to ``most``."""
    with tenant_transaction():
        return _labelled(model).filter(received_at__gte=since)[:most].count()


def labelled_features(model: RegisteredModel, since: datetime | None = None) -> pd.DataFrame:
    """Return the features that were asked with, and the known outcome in a column named like the target.

    One row for each prediction whose current outcome was received at ``since`` or later, oldest outcome
    first. Labels are text, also where the training data spelt them as numbers.
    """
    rows = _labelled(model)
    if since is not None:
        rows = rows.filter(received_at__gte=since)
    kind = model.problem.outcome or "label"
    with tenant_transaction():
        found = list(rows.order_by("received_at", "pk").values_list("prediction__features", kind))
    frame = pd.DataFrame([features for features, _ in found])
    if model.target:
        actual = [model.problem.target_value(actual) for _, actual in found]
        frame[model.target] = pd.Series(actual, dtype="str" if kind == "label" else "float64")
    return frame


def asked_features(model: RegisteredModel) -> pd.DataFrame:
    """Return the features of the newest 100,000 rows that the model was asked, oldest first."""
    rows = Prediction.objects.filter(model=model).order_by("-created_at", "-pk")
    with tenant_transaction():
        found = list(rows.values_list("features", flat=True)[:MOST_ASKED])
    return pd.DataFrame(found[::-1])


def _labelled(model: RegisteredModel) -> "QuerySet[Outcome]":
    return Outcome.objects.filter(model=model, current=True)


def _probabilities(found: list[dict[str, float] | None]) -> pd.DataFrame:
    if not any(found):
        return pd.DataFrame(index=range(len(found)))
    rows: list[dict[str, Any]] = [
        {f"p_{label}": chance for label, chance in (item or {}).items()} for item in found
    ]
    return pd.DataFrame(rows, index=range(len(found)))
