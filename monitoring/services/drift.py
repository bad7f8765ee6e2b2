"""Drift checks: what the champion is asked now, held against what it was trained on."""

from typing import Any

import pandas as pd

from mlplatform.tenancy.scope import tenant_transaction
from monitoring.frames import AskedRows, asked_rows, predictions_between
from monitoring.models import DriftReport, DriftResult
from monitoring.services.windows import Window, check_window
from monitoring.statistics.drift import ColumnDrift, column_drift
from registry.models import ModelVersion, RegisteredModel
from registry.tabular.histograms import count_on

MINIMUM_ROWS = 30
MAXIMUM_ROWS = 10_000
ANSWERS = "prediction"  # the reference's name for the model's own answers


def check_drift(
    *, model: RegisteredModel, minimum_rows: int = MINIMUM_ROWS, window: Window | None = None
) -> DriftReport | None:
    """Compare the champion's newest predictions (at most 10,000) with its reference, and store the report.

    Numbers and categories are compared, and the model's answers under the name ``prediction``, which do not
    count as a feature. Where nothing came in since the last report, that report is returned. None where the
    model has no champion, no reference, or fewer than ``minimum_rows`` predictions in the window.
    """
    window = window or check_window(model)
    if window is None:
        return None
    with tenant_transaction():
        rows = min(rows_in(window), MAXIMUM_ROWS)
        if rows < max(1, minimum_rows):
            return None
        last = _still_true(window, rows)
    if last is not None:
        return last
    asked = asked_rows(window.version, window.start, window.end, limit=MAXIMUM_ROWS)
    return _store(model, window, len(asked.features), _compare(window.version, asked))


def rows_in(window: Window) -> int:
    """Return how many predictions the window holds."""
    return predictions_between(window.version, window.start, window.end).count()


def latest_report(model: RegisteredModel) -> DriftReport | None:
    """Return the model's newest drift report with its results, or None."""
    reports = DriftReport.objects.filter(model=model).select_related("version__model")
    return reports.prefetch_related("results").first()


def _still_true(window: Window, rows: int) -> DriftReport | None:
    """Return the last report where it covers the very predictions of the window."""
    last = DriftReport.objects.filter(version=window.version).first()
    if last is None or last.rows != rows or last.window_end <= window.start:
        return None
    newer = predictions_between(window.version, last.window_end, window.end).exists()
    return None if newer else last


def _compare(version: ModelVersion, asked: AskedRows) -> list[tuple[str, ColumnDrift, dict[str, Any]]]:
    references = dict(version.reference)
    values: dict[str, pd.Series[Any]] = {str(name): asked.features[name] for name in asked.features}
    values[ANSWERS] = asked.answers
    compared = {name: column for name, column in values.items() if name in references}
    found: list[tuple[str, ColumnDrift, dict[str, Any]]] = []
    for name, column in compared.items():
        current = count_on(references[name], column)
        verdict = column_drift(references[name], current, columns=len(compared))
        if verdict is not None:
            found.append((name, verdict, current))
    return found


def _store(
    model: RegisteredModel, window: Window, rows: int, found: list[tuple[str, ColumnDrift, dict[str, Any]]]
) -> DriftReport | None:
    features = {column["name"] for column in window.version.features} - {ANSWERS}
    verdicts = [verdict for name, verdict, _ in found if name in features]
    if not verdicts:
        return None
    with tenant_transaction():
        report = DriftReport.objects.create(
            model=model,
            version=window.version,
            window_start=window.start,
            window_end=window.end,
            rows=rows,
            features=len(verdicts),
            drifted_features=sum(verdict.drifted for verdict in verdicts),
        )
        DriftResult.objects.bulk_create(
            DriftResult(
                report=report,
                feature=name,
                score=verdict.score,
                threshold=verdict.threshold,
                drifted=verdict.drifted,
                current=current,
            )
            for name, verdict, current in found
        )
    return report
