"""How long the figures of monitoring are kept."""

from monitoring.models import DriftReport, PerformanceSnapshot, Rollup
from registry.services.retention_kinds import KINDS, WATCHED_DAYS, Rule, aged_rows

REPORT_DAYS = 365  # alerts and decisions keep the evidence of their moment themselves

KINDS.add(
    aged_rows(
        name="rollups",
        title="Sums by hour",
        purpose="What quality, drift, data and service are told from, over any period. An outcome that comes "
        "later than that is counted for nothing.",
        table=Rollup,
        moment="begins",
        usual=lambda: Rule(None),
        least_days=WATCHED_DAYS,
    )
)
KINDS.add(
    aged_rows(
        name="drift_reports",
        title="Reports on drift",
        purpose="What each check found of each feature. Alerts keep their own evidence.",
        table=DriftReport,
        moment="created_at",
        usual=lambda: Rule(REPORT_DAYS),
        least_days=WATCHED_DAYS,
    )
)
KINDS.add(
    aged_rows(
        name="performance",
        title="Measured quality",
        purpose="What each check found of quality. Alerts keep their own evidence.",
        table=PerformanceSnapshot,
        moment="created_at",
        usual=lambda: Rule(REPORT_DAYS),
        least_days=WATCHED_DAYS,
    )
)
