"""Rules that say when people must be told, and the alerts they raised."""

from django.db import models

from mlplatform.tenancy.models import TenantModel


class AlertMetric(models.TextChoices):
    """What a rule looks at."""

    DRIFT_SHARE = "drift_share", "Share of drifted features"
    PERFORMANCE = "performance", "Realized primary metric"


class Severity(models.TextChoices):
    """How urgent."""

    INFO = "info", "Info"
    WARNING = "warning", "Warning"
    CRITICAL = "critical", "Critical"


class AlertState(models.TextChoices):
    """Where an alert stands."""

    OPEN = "open", "Open"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    RESOLVED = "resolved", "Resolved"


class AlertCause(models.TextChoices):
    """What raises an alert without a rule."""

    ARTIFACT = "artifact", "A version's file is damaged or gone"
    TWIN = "twin", "The file of a version's twin is damaged or gone"


UNRESOLVED = (AlertState.OPEN, AlertState.ACKNOWLEDGED)


class AlertRule(TenantModel):
    """Raises an alert when a metric crosses its threshold: drift above it, performance below it."""

    model_link = "model"

    model = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.CASCADE, related_name="alert_rules"
    )
    metric = models.CharField(max_length=30, choices=AlertMetric)
    threshold = models.FloatField()
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.WARNING)
    cooldown_minutes = models.PositiveIntegerField(
        default=60, help_text="After an alert, stay silent for this long unless things get worse."
    )
    minimum_rows = models.PositiveIntegerField(default=30, help_text="With fewer rows, there is no verdict.")
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["model", "metric"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "model", "metric", "severity"],
                name="one_rule_per_metric_and_severity",
                violation_error_message="The model has such a rule already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_metric_display()} of {self.model}"


class Alert(TenantModel):
    """Something that a person should look at, with the evidence at the time."""

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
    occurrences = models.PositiveIntegerField(default=1, help_text="How often it fired while it was open.")
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=200, blank=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=200, blank=True)
    told_at = models.DateTimeField(null=True, help_text="When people were written to.")

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "model", "rule"],
                condition=models.Q(state__in=UNRESOLVED),
                name="one_unresolved_alert_per_rule",
            ),
            models.UniqueConstraint(
                fields=["tenant", "version", "cause"],
                condition=models.Q(state__in=UNRESOLVED) & ~models.Q(cause=""),
                name="one_unresolved_alert_per_cause",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "model", "-created_at"])]

    def __str__(self) -> str:
        return self.title
