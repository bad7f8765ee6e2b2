"""Tables of whether models are still good, and what was done about it."""

from monitoring.models.alert import Alert, AlertRule
from monitoring.models.channel import Channel
from monitoring.models.concept import ErrorStream
from monitoring.models.delivery import Delivery
from monitoring.models.drift import DriftReport, DriftResult, DriftSettings
from monitoring.models.health import ModelHealth, SystemHealth
from monitoring.models.performance import PerformanceSnapshot
from monitoring.models.policy import RetrainingDecision, RetrainingPolicy
from monitoring.models.report_schedule import ReportSchedule
from monitoring.models.rollup import Rollup

__all__ = [
    "Alert",
    "AlertRule",
    "Channel",
    "Delivery",
    "DriftReport",
    "DriftResult",
    "DriftSettings",
    "ErrorStream",
    "ModelHealth",
    "PerformanceSnapshot",
    "ReportSchedule",
    "RetrainingDecision",
    "RetrainingPolicy",
    "Rollup",
    "SystemHealth",
]
