"""What a job tried."""

from django.db import models

from mlplatform.tenancy.models import TenantModel
from training.models.job import TrainingJob


class Trial(TenantModel):
    """One algorithm with its parameters, cross-validated; the job's trials by rank are its leaderboard."""

    job = models.ForeignKey(TrainingJob, on_delete=models.CASCADE, related_name="trials")
    algorithm = models.CharField(max_length=50)
    params = models.JSONField(default=dict)
    metric = models.CharField(max_length=50)
    fold_scores = models.JSONField(default=list, help_text="One dictionary of metrics for each fold.")
    mean = models.FloatField(null=True)
    std = models.FloatField(null=True)
    fit_seconds = models.FloatField(null=True)
    rank = models.PositiveSmallIntegerField(null=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["job", "rank", "pk"]

    def __str__(self) -> str:
        return f"{self.algorithm} in {self.job}"
