"""How far the inputs have moved from the training data."""

from django.db import models

from mlplatform.tenancy.models import TenantModel


class DriftReport(TenantModel):
    """One drift check of one version over one window."""

    model_link = "model"

    model = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.CASCADE, related_name="drift_reports"
    )
    version = models.ForeignKey(
        "registry.ModelVersion", on_delete=models.CASCADE, related_name="drift_reports"
    )
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    rows = models.PositiveIntegerField()
    drifted_features = models.PositiveIntegerField()
    features = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["tenant", "model", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.version}: {self.drifted_features} of {self.features} drifted"


class DriftResult(TenantModel):
    """One feature's score in a drift check; ``current`` holds the window's counts on the reference's bins."""

    model_link = "report"

    report = models.ForeignKey(DriftReport, on_delete=models.CASCADE, related_name="results")
    feature = models.CharField(max_length=200)
    statistic = models.CharField(max_length=30, default="psi")
    score = models.FloatField()
    threshold = models.FloatField()
    drifted = models.BooleanField()
    current = models.JSONField(default=dict)

    class Meta:
        ordering = ["report", "-score"]

    def __str__(self) -> str:
        return f"{self.feature}: {self.score:.3f}"
