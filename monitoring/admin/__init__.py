"""Console pages of whether models are still good, and what was done about it."""

from monitoring.admin import (
    alerts,
    checks,
    dashboard,
    decisions,
    drift_settings,
    lineage,
    loop,
    policies,
    reports,
    rollback_check,
    rollouts,
    rules,
    shadows,
)

__all__ = [
    "alerts",
    "checks",
    "dashboard",
    "decisions",
    "drift_settings",
    "lineage",
    "loop",
    "policies",
    "reports",
    "rollback_check",
    "rollouts",
    "rules",
    "shadows",
]
