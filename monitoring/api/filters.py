"""Filters of the monitoring lists."""

from django_filters import rest_framework as filters

from monitoring.models import (
    Alert,
    AlertRule,
    Channel,
    Delivery,
    DriftReport,
    PerformanceSnapshot,
    ReportSchedule,
    RetrainingDecision,
)


class ByModel(filters.FilterSet):
    """By the model's name."""

    model = filters.CharFilter(field_name="model__name")


class ByVersion(ByModel):
    """By model, version and time."""

    version = filters.NumberFilter(field_name="version__number")
    created = filters.IsoDateTimeFromToRangeFilter(field_name="created_at")


class AlertFilter(ByVersion):
    """Alerts by model, version, state, severity, owner and time."""

    owner = filters.CharFilter(field_name="owner__user__email", lookup_expr="iexact")

    class Meta:
        model = Alert
        fields = ["state", "severity"]


class RuleFilter(ByModel):
    """Rules by model, metric, severity, and whether they are on."""

    class Meta:
        model = AlertRule
        fields = ["metric", "severity", "enabled"]


class ChannelFilter(filters.FilterSet):
    """Channels by kind, and whether they are on."""

    class Meta:
        model = Channel
        fields = ["kind", "enabled"]


class DeliveryFilter(ByModel):
    """Deliveries by model, channel, state and kind."""

    channel = filters.CharFilter(field_name="channel__name")

    class Meta:
        model = Delivery
        fields = ["state", "kind"]


class ReportScheduleFilter(ByModel):
    """Report schedules by model, rhythm, and whether they are on."""

    class Meta:
        model = ReportSchedule
        fields = ["rhythm", "enabled"]


class DriftReportFilter(ByVersion):
    """Reports by model, version and time."""

    class Meta:
        model = DriftReport
        fields: list[str] = []


class SnapshotFilter(ByVersion):
    """Snapshots by model, version and time."""

    class Meta:
        model = PerformanceSnapshot
        fields: list[str] = []


class DecisionFilter(ByModel):
    """Decisions by model, rule, state and time."""

    created = filters.IsoDateTimeFromToRangeFilter(field_name="created_at")

    class Meta:
        model = RetrainingDecision
        fields = ["state", "rule"]
