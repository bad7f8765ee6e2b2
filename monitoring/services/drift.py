"""Drift checks: what the champion is asked now, held against what it was trained on."""

from django.conf import settings

from mlplatform.tenancy.scope import tenant_transaction
from monitoring.counting import ANSWERS
from monitoring.models import DriftReport, DriftResult, DriftSettings
from monitoring.models.drift import DriftRule
from monitoring.services.drift_measures import ColumnFindings, column_findings
from monitoring.services.drift_settings import drift_settings_of
from monitoring.services.sums import Sums, sums_of
from monitoring.services.windows import LOOK_BACK, Window, check_window
from monitoring.statistics.alarms import Judgement, Watch, calibrated, classic
from registry.models import RegisteredModel

MINIMUM_ROWS = 30
SECONDS_OF_A_DAY = 86_400


def check_drift(
    *,
    model: RegisteredModel,
    minimum_rows: int = MINIMUM_ROWS,
    window: Window | None = None,
    sums: Sums | None = None,
) -> DriftReport | None:
    """Compare what the champion was asked and answered in the window with its reference; store the report.

    Numbers and categories are compared, and the model's answers under the name ``prediction``, which do not
    count as a feature. Where nothing came in since the last report, and the model's settings are the same,
    that report is returned. None where the model has no champion, no reference, or fewer than
    ``minimum_rows`` predictions in the window.
    """
    window = window or check_window(model)
    if window is None:
        return None
    sums = sums or sums_of(window)
    if sums.predictions < max(1, minimum_rows):
        return None
    chosen = drift_settings_of(model)
    last = _last_report(window, chosen)
    if last is not None and last.rows == sums.predictions and last.window_start == window.start:
        return last
    standing = last is not None and last.alarm
    found = column_findings(window, sums)
    return _stored(judge_window(window, sums.predictions, chosen, found, standing))


def latest_report(model: RegisteredModel) -> DriftReport | None:
    """Return the model's newest drift report with its results, or None."""
    reports = DriftReport.objects.filter(model=model).select_related("version__model")
    return reports.prefetch_related("results").first()


def _last_report(window: Window, chosen: DriftSettings) -> DriftReport | None:
    """Return the last report on this time of the version as champion, where it was judged by these terms."""
    with tenant_transaction():
        last = DriftReport.objects.filter(version=window.version, window_end__gte=window.start).first()
    return last if last is not None and last.terms == chosen.terms else None


def _judged(
    window: Window,
    chosen: DriftSettings,
    found: dict[str, ColumnFindings],
    features: set[str],
    standing: bool,
) -> Judgement:
    indices = {name: one.divergence for name, one in found.items()}
    if chosen.rule == DriftRule.CLASSIC:
        return classic(indices, features, chosen.psi_limit, chosen.drift_share)
    return calibrated(indices, _watch(window), chosen.false_alarms_a_month, standing=standing)


def _watch(window: Window) -> Watch:
    length = window.end - window.start
    days = max(length.total_seconds(), 1.0) / SECONDS_OF_A_DAY
    return Watch(days, settings.CHECK_INTERVAL_MINUTES, growing=length < LOOK_BACK)


def judge_window(
    window: Window,
    rows: int,
    chosen: DriftSettings,
    found: dict[str, ColumnFindings],
    standing: bool,
) -> tuple[DriftReport, list[DriftResult]] | None:
    """Return the report on the window with its columns, not stored; None where no feature is known."""
    version = window.version
    features = ({column["name"] for column in version.features} - {ANSWERS}) & found.keys()
    if not features:
        return None
    judged = _judged(window, chosen, found, features, standing)
    report = DriftReport(
        model_id=version.model_id,
        version=version,
        window_start=window.start,
        window_end=window.end,
        rows=rows,
        features=len(features),
        drifted_features=len(judged.drifted & features),
        alarm=judged.alarm,
        terms=chosen.terms,
        check_rate=judged.rate,
    )
    results = [
        DriftResult(
            feature=name,
            score=one.divergence.score,
            threshold=judged.thresholds[name],
            drifted=name in judged.drifted,
            p_value=one.divergence.p_value,
            measures=one.measures,
            appeared=one.appeared,
            vanished=one.vanished,
            importance=one.importance,
            cost=one.cost,
            current=one.current,
        )
        for name, one in found.items()
    ]
    for result in results:
        result.report, result.then = report, found[result.feature].then
    return report, results


def _stored(judged: tuple[DriftReport, list[DriftResult]] | None) -> DriftReport | None:
    if judged is None:
        return None
    report, results = judged
    with tenant_transaction():
        report.save()
        for result in results:
            result.report = report
        DriftResult.objects.bulk_create(results)
    return report
