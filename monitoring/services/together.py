"""All columns together: a bounded sample of the window's rows against one of the training's, row by row."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pandas as pd
from django.utils import timezone

from mlplatform.errors import PlatformError
from mlplatform.tenancy.scope import tenant_transaction
from monitoring.frames import asked_rows, is_watched
from monitoring.models import DriftReport, DriftResult
from monitoring.services.drift_measures import ON_ROWS, stored_measures
from monitoring.statistics.comparing import Comparison, compare_frames
from monitoring.statistics.multivariate import domain_classifier, reconstruction
from registry.models import ModelVersion
from registry.privacy.treatment import marks_of
from registry.services.pseudonyms import treater
from registry.services.samples import dataset_sample
from registry.tabular.columns import NUMBER_TYPES, ColumnType
from registry.tabular.schema import coerce_frame, columns_from_json

MOST_ROWS = 2_000
FEWEST_ROWS = 100
COMPARED_EVERY = timedelta(hours=6)  # unless an alarm begins: it costs seconds, where a check costs little


def is_due(report: DriftReport) -> bool:
    """Tell whether the report's rows should be read: its version's were not lately, or an alarm has begun."""
    if report.together or report.rows < FEWEST_ROWS:
        return False
    with tenant_transaction():
        others = DriftReport.objects.filter(version=report.version_id).exclude(pk=report.pk)
        before = others.first()
        since = timezone.now() - COMPARED_EVERY
        lately = others.filter(created_at__gt=since).exclude(together={}).exists()
    begins = report.alarm and not (before is not None and before.alarm)
    return begins or not lately


def compare_together(*, report: DriftReport) -> DriftReport:
    """Compare at most 2,000 rows of either side, and store what is found in the report and its results.

    A domain classifier, the PCA reconstruction, and each column's exact Kolmogorov-Smirnov and Wasserstein
    distances. Where there are too few rows, or the training's are kept no more, the report says so.
    """
    with tenant_transaction():
        columns = list(report.results.values_list("feature", flat=True))
    try:
        before = _training_rows(report.version, columns)
    except PlatformError as error:
        return _stored(report, {"why_not": error.detail})
    asked = asked_rows(report.version, report.window_start, report.window_end, limit=MOST_ROWS)
    after = asked.features[list(before.columns)]
    if min(len(before), len(after)) < FEWEST_ROWS or before.columns.empty:
        kept = f"{len(before):,} training rows and {len(after):,} predictions"
        return _stored(report, {"why_not": f"{kept} are kept; {FEWEST_ROWS} of either are needed."})
    found = {
        "training_rows": len(before),
        "rows": len(after),
        "domain_classifier": asdict(domain_classifier(before, after)),
        "reconstruction": asdict(reconstruction(before, after)),
    }
    return _stored(report, found, compare_frames(before, after, threads=1))


def _training_rows(version: ModelVersion, compared: list[str]) -> pd.DataFrame:
    known = {*NUMBER_TYPES, ColumnType.category}
    columns = [
        column
        for column in columns_from_json(version.features)
        if column.name in compared and column.type in known and is_watched(column)
    ]
    rows = dataset_sample(version.dataset, [column.name for column in columns], MOST_ROWS)
    # A dataset keeps true values, the log pseudonyms.
    return treater(marks_of(columns)).frame(coerce_frame(rows, columns))


def _stored(
    report: DriftReport, found: dict[str, Any], exact: dict[str, Comparison] | None = None
) -> DriftReport:
    with tenant_transaction():
        report.together = {**found, "at": timezone.now().isoformat()}
        report.save(update_fields=["together"])
        results = list(DriftResult.objects.filter(report=report, feature__in=exact or {}))
        for result in results:
            result.measures |= _distances((exact or {})[result.feature])
        DriftResult.objects.bulk_update(results, ["measures"], batch_size=100)
    return report


def _distances(comparison: Comparison) -> dict[str, Any]:
    """Return the measures that rows tell better than bins; the others cover more rows as they are."""
    if comparison.kolmogorov_smirnov is None:
        return {}
    measures = stored_measures(comparison, on=ON_ROWS)
    names = ("kolmogorov_smirnov", "kolmogorov_smirnov_p", "wasserstein", "distances_from")
    return {name: measures[name] for name in names}
