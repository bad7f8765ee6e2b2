"""What the platform may do by itself, and each decision it took."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from mlplatform.tenancy.models import TenantModel
from monitoring.deciding.terms import CAUSE_TITLES

RULES = [(cause.value, title) for cause, title in CAUSE_TITLES.items()]


class OnSuccess(models.TextChoices):
    """What happens with the retrained version."""

    TELL = "tell", "Only register it"
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
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "retraining policies"

    def __str__(self) -> str:
        return f"Policy of {self.model}"


class DecisionState(models.TextChoices):
    """What came of a decision."""

    DECLINED = "declined", "Did not retrain"
    TRAINING = "training", "Training"
    PROMOTED = "promoted", "Promoted the new version"
    PROPOSED = "proposed", "Proposed the new version"
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
