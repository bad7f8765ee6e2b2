"""What the platform may do by itself, and each decision it took."""

from django.core.validators import MinValueValidator
from django.db import models

from mlplatform.tenancy.models import TenantModel


class OnSuccess(models.TextChoices):
    """What happens with the retrained version."""

    TELL = "tell", "Only register it"
    PROMOTE = "promote", "Promote it if its gates pass"


class RetrainingPolicy(TenantModel):
    """One model's limits for retraining by itself."""

    model_link = "model"

    model = models.OneToOneField("registry.RegisteredModel", on_delete=models.CASCADE, related_name="policy")
    enabled = models.BooleanField(default=True)
    on_drift = models.BooleanField(
        "retrain on drift", default=True, help_text="When a drift alert is raised."
    )
    on_performance = models.BooleanField(
        "retrain on quality", default=True, help_text="When a quality alert is raised."
    )
    minimum_outcomes = models.PositiveIntegerField(
        default=50, help_text="New outcomes needed before retraining is worth it."
    )
    cooldown_minutes = models.PositiveIntegerField(
        default=60, validators=[MinValueValidator(0)], help_text="At most one retraining in this time."
    )
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
    KEPT = "kept", "Kept the champion"
    FAILED = "failed", "Training failed"


class RetrainingDecision(TenantModel):
    """One decision of a policy: what it saw, what it did, and what that caused."""

    model_link = "model"

    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.CASCADE, related_name="decisions")
    alert = models.ForeignKey(
        "monitoring.Alert", null=True, on_delete=models.SET_NULL, related_name="decisions"
    )
    state = models.CharField(max_length=20, choices=DecisionState, db_index=True)
    reason = models.CharField(max_length=500)
    inputs = models.JSONField(default=dict)
    job = models.OneToOneField(
        "training.TrainingJob", null=True, on_delete=models.SET_NULL, related_name="decision"
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
