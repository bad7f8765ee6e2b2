"""Bodies of the monitoring endpoints."""

from typing import Any

from rest_framework import serializers

from mlplatform.api.views import StrictSerializer
from monitoring.api.drift_bodies import DriftReportDetail
from monitoring.models import (
    Alert,
    AlertRule,
    PerformanceSnapshot,
    RetrainingDecision,
)
from monitoring.models.alert import AlertMetric, Comparison, Severity


class AlertBody(serializers.ModelSerializer[Alert]):
    """An alert."""

    model = serializers.CharField(source="model.name", read_only=True)
    version = serializers.IntegerField(source="version.number", allow_null=True, default=None, read_only=True)
    rule = serializers.IntegerField(source="rule_id", allow_null=True, read_only=True)
    cause = serializers.CharField(
        read_only=True,
        help_text="artifact, twin: a damaged file. no_data: its rule lacks data. Empty: it was crossed.",
    )
    evidence = serializers.DictField(
        read_only=True, help_text="The figures of the moment it was raised, with those of its pictures."
    )
    latest = serializers.DictField(
        read_only=True, help_text="What the newest check found; empty until it fires again."
    )
    owner = serializers.CharField(source="owner.email", allow_null=True, default=None, read_only=True)

    class Meta:
        model = Alert
        fields = [
            "id", "model", "version", "rule", "cause", "severity", "state", "title", "message", "evidence",
            "latest", "occurrences", "created_at", "last_seen_at", "acknowledged_at", "acknowledged_by",
            "resolved_at", "resolved_by", "owner", "snoozed_until", "snoozed_by", "snooze_reason",
            "escalated_at",
        ]  # fmt: skip
        read_only_fields = fields


class ResolveRequest(StrictSerializer):
    """Why an alert is closed."""

    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=500)


class SnoozeRequest(StrictSerializer):
    """For how long nobody is told of an alert, and why."""

    until = serializers.DateTimeField(help_text="A moment within the next 90 days.")
    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=500)


class OwnerRequest(StrictSerializer):
    """Who looks after an alert."""

    owner = serializers.CharField(
        max_length=254, allow_blank=True, help_text="A member's address; empty: nobody."
    )


class RuleBody(serializers.ModelSerializer[AlertRule]):
    """An alert rule."""

    model = serializers.CharField(source="model.name", read_only=True)

    class Meta:
        model = AlertRule
        fields = [
            "id", "model", "metric", "comparison", "threshold", "severity", "window_hours", "required",
            "out_of", "slice", "minimum_rows", "cooldown_minutes", "no_data_hours",
            "escalate_after_minutes", "enabled",
            "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class RuleChange(StrictSerializer):
    """What can be changed of a rule."""

    threshold = serializers.FloatField(required=False)
    severity = serializers.ChoiceField(choices=Severity.choices, required=False)
    comparison = serializers.ChoiceField(choices=Comparison.choices, required=False)
    window_hours = serializers.IntegerField(
        min_value=0, required=False, help_text="Look at the last so many hours; 0 for the check's 7 days."
    )
    required = serializers.IntegerField(  # type: ignore[assignment]  # a field of the rule
        min_value=1, required=False, help_text="Alert when so many checks found the threshold crossed,"
    )
    out_of = serializers.IntegerField(
        min_value=1, required=False, help_text="of the last so many that had a verdict."
    )
    slice = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="Only a part of the cases."
    )
    cooldown_minutes = serializers.IntegerField(min_value=0, required=False)
    minimum_rows = serializers.IntegerField(min_value=1, required=False)
    no_data_hours = serializers.IntegerField(
        min_value=0, required=False, help_text="So long without a verdict raises an alert; 0 for never."
    )
    escalate_after_minutes = serializers.IntegerField(
        min_value=0,
        required=False,
        help_text="Unacknowledged for so long, an alert gets graver; 0 for never.",
    )
    enabled = serializers.BooleanField(required=False)


class RuleRequest(RuleChange):
    """A new rule."""

    model = serializers.CharField(max_length=100, help_text="The model's name.")
    metric = serializers.ChoiceField(choices=AlertMetric.choices)
    threshold = serializers.FloatField(
        help_text="drift_share: of the features at an alarm of the check, 0 (every alarm) to 1. performance: "
        "a value of the primary metric. latency_p95: milliseconds. All others: a share, 0 to 1."
    )


class DecisionBody(serializers.ModelSerializer[RetrainingDecision]):
    """A retraining decision, and what it led to."""

    model = serializers.CharField(source="model.name", read_only=True)
    rule = serializers.CharField(
        read_only=True, help_text="What called for it, as a policy names its rules; empty: none did."
    )
    alert = serializers.IntegerField(source="alert_id", allow_null=True, read_only=True)
    job = serializers.IntegerField(source="job_id", allow_null=True, read_only=True)
    version = serializers.IntegerField(
        source="job.version.number", allow_null=True, default=None, read_only=True
    )
    deployment = serializers.IntegerField(source="deployment_id", allow_null=True, read_only=True)
    request = serializers.IntegerField(source="request_id", allow_null=True, read_only=True)
    champion = serializers.IntegerField(
        source="champion.number",
        allow_null=True,
        default=None,
        read_only=True,
        help_text="The version that answered when it was decided.",
    )
    gates = serializers.ListField(child=serializers.DictField(), read_only=True)
    inputs = serializers.DictField(read_only=True)

    class Meta:
        model = RetrainingDecision
        fields = [
            "id", "model", "rule", "state", "reason", "inputs", "champion", "alert", "job", "version",
            "gates", "request", "deployment", "outcome", "created_at", "settled_at",
        ]  # fmt: skip
        read_only_fields = fields


class StationBody(serializers.Serializer[Any]):
    """One station of a chain; ``id`` is its row's, of gates that of the version."""

    kind = serializers.CharField(
        help_text="alert, decision, job, version, gates, request or deployment, as far as it went."
    )
    id = serializers.IntegerField(source="row.pk")
    title = serializers.CharField()
    state = serializers.CharField()
    sentence = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)


class ChainBody(serializers.Serializer[Any]):
    """A decision with all that led to it and that it led to, in order."""

    decision = DecisionBody()
    stations = StationBody(many=True)


class SnapshotBody(serializers.ModelSerializer[PerformanceSnapshot]):
    """Realized quality over a window."""

    model = serializers.CharField(source="model.name", read_only=True)
    version = serializers.IntegerField(source="version.number", read_only=True)
    metrics = serializers.DictField(child=serializers.FloatField(), read_only=True)

    class Meta:
        model = PerformanceSnapshot
        fields = [
            "id", "model", "version", "window_start", "window_end", "predictions", "labelled", "metrics",
            "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class WindowQuery(StrictSerializer):
    """A window of time."""

    since = serializers.DateTimeField(required=False, help_text="Predictions made at this moment or later.")
    until = serializers.DateTimeField(required=False, help_text="Predictions made before this moment.")


class RealizedBody(serializers.Serializer[Any]):
    """The champion's realized quality over a window, measured now; ``metrics`` is empty without outcomes."""

    model = serializers.CharField()
    version = serializers.IntegerField()
    window_start = serializers.DateTimeField()
    window_end = serializers.DateTimeField()
    predictions = serializers.IntegerField()
    log_share = serializers.FloatField(help_text="The share of answers that the log keeps now.")
    labelled = serializers.IntegerField()
    primary_metric = serializers.CharField()
    metrics = serializers.DictField(child=serializers.FloatField())
    intervals = serializers.DictField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2),
        help_text="The two ends between which a metric's true value lies, 95 times in 100.",
    )
    holdout_metrics = serializers.DictField(child=serializers.FloatField())


class CheckBody(serializers.Serializer[Any]):
    """What a check found and did; null where there is no verdict, and ``notes`` say why."""

    model = serializers.CharField(source="model.name")
    version = serializers.IntegerField(source="version.number")
    performance = SnapshotBody(allow_null=True)
    drift = DriftReportDetail(allow_null=True)
    alerts_raised = AlertBody(source="alerts.raised", many=True)
    alerts_repeated = AlertBody(source="alerts.repeated", many=True)
    alerts_resolved = AlertBody(source="alerts.resolved", many=True)
    decision = DecisionBody(allow_null=True)
    notes = serializers.ListField(child=serializers.CharField())
