"""Tables of whether models are still good, and what was done about it."""

from monitoring.models.alert import Alert, AlertRule
from monitoring.models.channel import Channel
from monitoring.models.delivery import Delivery
from monitoring.models.drift import DriftReport, DriftResult, DriftSettings
from monitoring.models.performance import PerformanceSnapshot
from monitoring.models.policy import RetrainingDecision, RetrainingPolicy
from monitoring.models.rollup import Rollup

__all__ = [
    "Alert",
    "AlertRule",
    "Channel",
    "Delivery",
    "DriftReport",
    "DriftResult",
    "DriftSettings",
    "PerformanceSnapshot",
    "RetrainingDecision",
    "RetrainingPolicy",
    "Rollup",
]
