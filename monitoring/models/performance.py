"""Quality over a window, once outcomes are known."""

from django.db import models

from mlplatform.tenancy.models import TenantModel


class PerformanceSnapshot(TenantModel):
    """The realized metrics of one version over one window of predictions."""

    model_link = "model"

    model = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.CASCADE, related_name="performance"
    )
    version = models.ForeignKey("registry.ModelVersion", on_delete=models.CASCADE, related_name="performance")
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    predictions = models.PositiveIntegerField(help_text="Predictions in the window.")
    labelled = models.PositiveIntegerField(help_text="Predictions whose outcome is known.")
    metrics = models.JSONField(default=dict)
    intervals = models.JSONField(default=dict, help_text="Where the true value lies, 95 times in 100.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["tenant", "model", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.version}: {self.labelled} outcomes"
