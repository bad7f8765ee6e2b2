"""Realized quality: predictions held against what really happened."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from feedback.frames import labelled_frame
from mlplatform.errors import InvalidInput
from mlplatform.tenancy.scope import tenant_transaction
from monitoring.frames import predictions_between
from monitoring.models import PerformanceSnapshot
from monitoring.services.windows import Window, check_window
from registry.models import ModelVersion, RegisteredModel
from registry.problems import Predictions


@dataclass(frozen=True)
class Realized:
    """One version's metrics over the ``labelled`` among its ``predictions`` made in [start, end)."""

    version: ModelVersion
    start: datetime
    end: datetime
    predictions: int
    labelled: int
    metrics: dict[str, float]


def realized(
    *, model: RegisteredModel, since: datetime | None = None, until: datetime | None = None
) -> Realized | None:
    """Measure the champion over a window, by default that of the checks, and store nothing.

    ``metrics`` is empty where no outcome is known yet. None without a champion; raises InvalidInput for a
    window that ends before it begins.
    """
    window = check_window(model)
    if window is None:
        return None
    start, end = since or window.start, until or window.end
    if start >= end:
        raise InvalidInput("The window ends before it begins. Let since be earlier than until.")
    return _measured(model, Window(window.version, start, end))


def measure(
    *, model: RegisteredModel, since: datetime | None = None, until: datetime | None = None
) -> PerformanceSnapshot | None:
    """Measure the champion and store a snapshot; where nothing changed, the last one is returned.

    None without a champion or without a single known outcome in the window.
    """
    found = realized(model=model, since=since, until=until)
    if found is None or not found.labelled:
        return None
    with tenant_transaction():
        last = PerformanceSnapshot.objects.filter(version=found.version).first()
        now = (found.predictions, found.labelled, found.metrics)
        if last is not None and (last.predictions, last.labelled, last.metrics) == now:
            return last
        return PerformanceSnapshot.objects.create(
            model=model,
            version=found.version,
            window_start=found.start,
            window_end=found.end,
            predictions=found.predictions,
            labelled=found.labelled,
            metrics=found.metrics,
        )


def _measured(model: RegisteredModel, window: Window) -> Realized:
    version = window.version
    frame = labelled_frame(model, version, since=window.start, until=window.end)
    with tenant_transaction():
        predictions = predictions_between(version, window.start, window.end).count()
    metrics: dict[str, float] = {}
    if len(frame):
        metrics = model.problem.score(frame["actual"].to_numpy(), _answers(version, frame))
    return Realized(version, window.start, window.end, predictions, len(frame), metrics)


def _answers(version: ModelVersion, frame: pd.DataFrame) -> Predictions:
    if version.model.problem.outcome == "value":
        return Predictions(values=frame["predicted"].to_numpy(dtype="float64"))
    values = frame["predicted"].to_numpy(dtype=object)
    if version.classes is None:
        return Predictions(values=values, scores=frame["score"].to_numpy(dtype="float64"))
    names = [f"p_{label}" for label in version.classes]
    if not set(names) <= set(frame.columns):
        return Predictions(values=values, classes=list(version.classes))
    chances = frame[names].to_numpy(dtype="float64")
    if not np.isfinite(chances).all():
        return Predictions(values=values, classes=list(version.classes))
    return Predictions(values=values, probabilities=chances, classes=list(version.classes))
