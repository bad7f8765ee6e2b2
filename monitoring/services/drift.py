"""Drift checks: what the champion is asked now, held against what it was trained on."""

from typing import Any

from mlplatform.tenancy.scope import tenant_transaction
from monitoring.counting import ANSWERS
from monitoring.models import DriftReport, DriftResult
from monitoring.services.rollups import Sums, sums_of
from monitoring.services.windows import Window, check_window
from monitoring.statistics.drift import ColumnDrift, column_drift
from registry.models import ModelVersion, RegisteredModel

MINIMUM_ROWS = 30


def check_drift(
    *,
    model: RegisteredModel,
    minimum_rows: int = MINIMUM_ROWS,
    window: Window | None = None,
    sums: Sums | None = None,
) -> DriftReport | None:
    """Compare what the champion was asked and answered in the window with its reference; store the report.

    Numbers and categories are compared, and the model's answers under the name ``prediction``, which do not
    count as a feature. Where nothing came in since the last report, that report is returned. None where the
    model has no champion, no reference, or fewer than ``minimum_rows`` predictions in the window.
    """
    window = window or check_window(model)
    if window is None:
        return None
    sums = sums or sums_of(window)
    if sums.predictions < max(1, minimum_rows):
        return None
    last = _still_true(window, sums.predictions)
    return last or _store(model, window, sums.predictions, _compare(window.version, sums))


def latest_report(model: RegisteredModel) -> DriftReport | None:
    """Return the model's newest drift report with its results, or None."""
    reports = DriftReport.objects.filter(model=model).select_related("version__model")
    return reports.prefetch_related("results").first()


def _still_true(window: Window, rows: int) -> DriftReport | None:
    """Return the last report where it covers the very predictions of the window."""
    with tenant_transaction():
        last = DriftReport.objects.filter(version=window.version).first()
    if last is None or (last.rows, last.window_start) != (rows, window.start):
        return None
    return last


def _compare(version: ModelVersion, sums: Sums) -> list[tuple[str, ColumnDrift, dict[str, Any]]]:
    found: list[tuple[str, ColumnDrift, dict[str, Any]]] = []
    for name, current in sums.columns.items():
        verdict = column_drift(version.reference[name], current, columns=len(sums.columns))
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
