"""What the platform may do by itself, and each decision it took."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from mlplatform.tenancy.models import TenantModel
from monitoring.deciding.rollback import SIGNAL_TITLES, Signal
from monitoring.deciding.terms import CAUSE_TITLES

RULES = [(str(rule), title) for rule, title in (*CAUSE_TITLES.items(), *SIGNAL_TITLES.items())]
ROLLBACKS = models.Q(rule__in=[signal.value for signal in Signal])


class OnSuccess(models.TextChoices):
    """What happens with the retrained version."""

    TELL = "tell", "Only register it, and tell people"
    PROPOSE = "propose", "Propose it if its gates pass"
    PROMOTE = "promote", "Promote it if its gates pass"


def usual_feedback() -> int:
    """Return how many new outcomes a retraining needs where nobody says otherwise."""
    wanted: int = settings.RETRAINING_FEEDBACK_THRESHOLD
    return wanted


class RetrainingPolicy(TenantModel):
    """What calls for retraining one model, and the limits within which the platform does it by itself."""

    model_link = "model"

    model = models.OneToOneField("registry.RegisteredModel", on_delete=models.CASCADE, related_name="policy")
    enabled = models.BooleanField(default=True)
    on_drift = models.BooleanField(
        "retrain on drift", default=True, help_text="When a drift alert is raised."
    )
    on_performance = models.BooleanField(
        "retrain on quality",
        default=True,
        help_text="When a quality alert is raised, or quality is worse than a limit below.",
    )
    performance_threshold = models.FloatField(
        null=True,
        blank=True,
        help_text="Retrain when the primary metric is worse. Empty: ML_PERFORMANCE_THRESHOLD, where "
        "higher is better and the version reached it on the hold-out.",
    )
    performance_loss = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.0)],
        help_text="Retrain when so much of the hold-out's value is lost, for example 0.1 for a tenth.",
    )
    on_age = models.BooleanField("retrain on age", default=True)
    max_age_days = models.PositiveIntegerField(
        default=30, validators=[MinValueValidator(1)], help_text="Older data are old."
    )
    on_feedback = models.BooleanField("retrain on outcomes", default=False)
    feedback_threshold = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="So many new outcomes call for retraining. Empty: ML_RETRAINING_FEEDBACK_THRESHOLD.",
    )
    on_volume = models.BooleanField("retrain on volume", default=False)
    volume_rows = models.PositiveIntegerField(
        default=10_000,
        validators=[MinValueValidator(1)],
        help_text="So many rows asked since the last training call for retraining.",
    )
    on_schedule = models.BooleanField(
        "treat scheduled trainings likewise",
        default=False,
        help_text="What a schedule of the model has trained is proposed or promoted as below.",
    )
    minimum_outcomes = models.PositiveIntegerField(
        default=usual_feedback, help_text="New outcomes needed before retraining is worth it."
    )
    cooldown_minutes = models.PositiveIntegerField(
        default=60, validators=[MinValueValidator(0)], help_text="At most one retraining in this time."
    )
    monthly_budget = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
        help_text="At most so many retrainings in 30 days. Empty: no limit.",
    )
    quiet_from = models.TimeField(
        null=True, blank=True, help_text="From this time on, in the tenant's time zone, nothing is started."
    )
    quiet_until = models.TimeField(null=True, blank=True, help_text="Until this time.")
    on_success = models.CharField(max_length=20, choices=OnSuccess, default=OnSuccess.PROMOTE)
    rollback_on_quality = models.BooleanField(
        "roll back on quality",
        default=False,
        help_text="When outcomes prove that too many answers are wrong.",
    )
    rollback_on_latency = models.BooleanField(
        "roll back on latency", default=False, help_text="When too many answers are proven to come too late."
    )
    rollback_on_calibration = models.BooleanField(
        "roll back on calibration",
        default=False,
        help_text="When it is proven to be surer, or less sure, than it is right.",
    )
    rollback_on_errors = models.BooleanField(
        "roll back on errors", default=False, help_text="When too many requests are proven to fail."
    )
    rollback_loss = models.FloatField(
        default=0.1,
        validators=[MinValueValidator(0.0), MaxValueValidator(10.0)],
        help_text="Tolerated loss of the hold-out's right answers, or growth of its mean error: 0.1.",
    )
    rollback_latency_ms = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.001)],
        help_text="95 of 100 answers within so many milliseconds. Empty: twice what the version before took.",
    )
    rollback_gap = models.FloatField(
        default=0.1,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.9)],
        help_text="Tolerated distance of the probability that it gives from the share that is right.",
    )
    rollback_error_rate = models.FloatField(
        default=0.05,
        validators=[MinValueValidator(0.0), MaxValueValidator(0.9)],
        help_text="Tolerated share of requests that it fails to answer: 0.05.",
    )
    rollback_alpha = models.FloatField(
        default=0.01,
        validators=[MinValueValidator(1e-6), MaxValueValidator(0.5)],
        help_text="How often a version within all limits may be taken back, ever: 0.01, one in 100.",
    )
    rollback_minimum = models.PositiveIntegerField(
        default=100,
        validators=[MinValueValidator(1)],
        help_text="Answers, outcomes or requests needed before.",
    )
    rollback_days = models.PositiveIntegerField(
        default=30, validators=[MinValueValidator(1)], help_text="A promoted version is watched for so long."
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "retraining policies"

    def __str__(self) -> str:
        return f"Policy of {self.model}"


class DecisionState(models.TextChoices):
    """What came of a decision."""

    DECLINED = "declined", "Held back"
    TRAINING = "training", "Training"
    PROMOTED = "promoted", "Promoted the new version"
    PROPOSED = "proposed", "Proposed the new version"
    ROLLED_BACK = "rolled_back", "Rolled back"
    KEPT = "kept", "Kept the champion"
    FAILED = "failed", "Training failed"


class RetrainingDecision(TenantModel):
    """One decision of a policy: what it saw, which rule called, what it did, and what that caused.

    ``champion`` is the version that answered when it was taken; ``gates`` are the verdicts on the new one.
    """

    model_link = "model"

    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.CASCADE, related_name="decisions")
    rule = models.CharField(max_length=20, choices=RULES, blank=True)
    champion = models.ForeignKey(
        "registry.ModelVersion", null=True, on_delete=models.SET_NULL, related_name="decisions"
    )
    alert = models.ForeignKey(
        "monitoring.Alert", null=True, on_delete=models.SET_NULL, related_name="decisions"
    )
    state = models.CharField(max_length=20, choices=DecisionState, db_index=True)
    reason = models.CharField(max_length=500)
    inputs = models.JSONField(default=dict)
    job = models.OneToOneField(
        "training.TrainingJob", null=True, on_delete=models.SET_NULL, related_name="decision"
    )
    gates = models.JSONField(default=list)
    request = models.OneToOneField(
        "registry.PromotionRequest", null=True, on_delete=models.SET_NULL, related_name="proposed_by"
    )
    deployment = models.OneToOneField(
        "registry.Deployment", null=True, on_delete=models.SET_NULL, related_name="decision"
    )
    outcome = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True, help_text="When people were written to.")

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "model"],
                condition=models.Q(state=DecisionState.TRAINING),
                name="one_retraining_at_a_time",
            )
        ]
        indexes = [models.Index(fields=["tenant", "model", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.get_state_display()}: {self.reason}"
