"""Rules that say when people must be told, and the alerts they raised."""

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

from mlplatform.tenancy.models import TenantModel


class AlertMetric(models.TextChoices):
    """What a rule looks at."""

    DRIFT_SHARE = "drift_share", "Share of drifted features"
    PERFORMANCE = "performance", "Realized primary metric"
    CALIBRATION = "calibration", "Expected calibration error"
    DATA_QUALITY = "data_quality", "Share of features whose values became worse"
    MISSING_SHARE = "missing_share", "Largest share of missing values of a feature"
    LATENCY = "latency_p95", "Time for 95 of 100 answers, in milliseconds"
    FALLBACK_SHARE = "fallback_share", "Share of answers that the twin did not give"
    ERROR_RATE = "error_rate", "Share of requests that were not answered"
    REFUSAL_RATE = "refusal_rate", "Share of requests that were refused"
    CONCEPT_DRIFT = "concept_drift", "Rises of the error (concept drift)"


class Comparison(models.TextChoices):
    """On which side of its threshold a value is too much.

    ``WORSE`` is the side that is bad for the metric, and beyond chance where that can be told.
    """

    WORSE = "worse", "Worse than the threshold, as the metric goes"
    ABOVE = "above", "At or above the threshold"
    BELOW = "below", "At or below the threshold"


class Severity(models.TextChoices):
    """How urgent."""

    INFO = "info", "Info"
    WARNING = "warning", "Warning"
    CRITICAL = "critical", "Critical"


GRAVITY = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


class AlertState(models.TextChoices):
    """Where an alert stands."""

    OPEN = "open", "Open"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    RESOLVED = "resolved", "Resolved"


class AlertCause(models.TextChoices):
    """What raises an alert where no rule's threshold was crossed."""

    ARTIFACT = "artifact", "A version's file is damaged or gone"
    TWIN = "twin", "The file of a version's twin is damaged or gone"
    NO_DATA = "no_data", "A rule has had too little data for too long"


UNRESOLVED = (AlertState.OPEN, AlertState.ACKNOWLEDGED)
FILE_CAUSES = (AlertCause.ARTIFACT, AlertCause.TWIN)


class AlertRule(TenantModel):
    """Raises an alert when a metric crosses its threshold in ``required`` of the last ``out_of`` checks.

    ``watch`` is what it remembers between checks: the version, its last verdicts, since when there was none.
    """

    model_link = "model"

    model = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.CASCADE, related_name="alert_rules"
    )
    metric = models.CharField(max_length=30, choices=AlertMetric)
    comparison = models.CharField(max_length=10, choices=Comparison, default=Comparison.WORSE)
    threshold = models.FloatField()
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.WARNING)
    window_hours = models.PositiveIntegerField(
        default=0, help_text="Look at the last so many hours; 0 for the check's own window of 7 days."
    )
    required = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1)], help_text="Alert when so many checks found it crossed,"
    )
    out_of = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1)], help_text="of the last so many that had a verdict."
    )
    slice = models.CharField(
        max_length=200, blank=True, help_text="Only this part of the cases, for example sex=female."
    )
    cooldown_minutes = models.PositiveIntegerField(
        default=60, help_text="After an alert, stay silent for this long unless things get worse."
    )
    minimum_rows = models.PositiveIntegerField(default=30, help_text="With fewer rows, there is no verdict.")
    no_data_hours = models.PositiveIntegerField(
        default=168, help_text="After so many hours without a verdict, say so by an alert; 0 for never."
    )
    escalate_after_minutes = models.PositiveIntegerField(
        default=0, help_text="An alert that nobody acknowledges for so long becomes graver; 0 for never."
    )
    enabled = models.BooleanField(default=True)
    watch = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["model", "metric"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "model", "metric", "severity", "slice", "window_hours"],
                name="one_rule_per_metric_and_severity",
                violation_error_message="The model has such a rule already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_metric_display()} of {self.model}"


class Alert(TenantModel):
    """Something that a person should look at.

    ``message`` and ``evidence`` are those of the moment it was raised, and stay; ``latest`` are the newest.
    """

    model_link = "model"

    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.CASCADE, related_name="alerts")
    version = models.ForeignKey(
        "registry.ModelVersion", null=True, on_delete=models.CASCADE, related_name="alerts"
    )
    rule = models.ForeignKey(AlertRule, null=True, on_delete=models.SET_NULL, related_name="alerts")
    cause = models.CharField(
        max_length=20,
        choices=AlertCause,
        blank=True,
        help_text="What raised it where no rule did.",
    )
    severity = models.CharField(max_length=10, choices=Severity)
    state = models.CharField(max_length=20, choices=AlertState, default=AlertState.OPEN, db_index=True)
    title = models.CharField(max_length=200)
    message = models.TextField()
    evidence = models.JSONField(default=dict)
    latest = models.JSONField(default=dict, help_text="What the newest check found.")
    occurrences = models.PositiveIntegerField(default=1, help_text="How often it fired while it was open.")
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=200, blank=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=200, blank=True)
    told_at = models.DateTimeField(null=True, help_text="When people were written to.")
    owner = models.ForeignKey(
        "tenancy.Membership", null=True, on_delete=models.SET_NULL, related_name="alerts"
    )
    snoozed_until = models.DateTimeField(null=True, help_text="Until then nobody is told of it again.")
    snoozed_by = models.CharField(max_length=200, blank=True)
    snooze_reason = models.CharField(max_length=500, blank=True)
    escalated_at = models.DateTimeField(null=True, help_text="When it became graver, unacknowledged.")

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "model", "rule", "cause"],
                condition=models.Q(state__in=UNRESOLVED),
                name="one_unresolved_alert_per_rule",
            ),
            models.UniqueConstraint(
                fields=["tenant", "version", "cause"],
                condition=models.Q(state__in=UNRESOLVED, cause__in=FILE_CAUSES),
                name="one_unresolved_alert_per_cause",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "model", "-created_at"])]

    def __str__(self) -> str:
        return self.title

    @property
    def is_snoozed(self) -> bool:
        """Whether nobody is to be told of it for now."""
        return self.snoozed_until is not None and self.snoozed_until > timezone.now()
