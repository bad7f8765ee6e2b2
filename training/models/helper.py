"""Who helps with a job's search."""

from django.db import models
from django.utils import timezone

from mlplatform.tenancy.models import TenantModel
from training.models.job import TrainingJob


class SearchHelper(TenantModel):
    """A worker that makes some of a job's trials, until it leaves or its heartbeat stops.

    It counts as a running job of its tenant. ``claim_token`` is its own; ``job_token`` that of the job's
    claim under which it came: it has no say in a later attempt. ``number`` is not given twice; 1 is the job's
    own worker.
    """

    model_link = "job"

    job = models.ForeignKey(TrainingJob, on_delete=models.CASCADE, related_name="helpers")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=200, help_text="The machine and process of the worker.")
    claim_token = models.UUIDField()
    job_token = models.UUIDField()
    heartbeat_at = models.DateTimeField()
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    under_way = models.Q(ended_at=None)
    uses = {"running_jobs": models.Count("pk", filter=models.Q(ended_at=None))}

    class Meta:
        ordering = ["job", "number"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "job", "number"], name="one_helper_of_a_number"),
        ]

    def __str__(self) -> str:
        return f"Worker {self.number} of {self.job}"

    def arrive(self) -> None:
        """End a helper's work where it came from: it is not here."""
        self.ended_at = self.ended_at or timezone.now()
