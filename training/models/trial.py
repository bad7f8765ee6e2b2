"""What a job tried."""

from django.db import models

from mlplatform.tenancy.models import TenantModel
from training.models.job import TrainingJob


class TrialState(models.TextChoices):
    """The states of a trial.

    ``waiting`` for another worker, where its own was lost; ``given_up`` after some folds, because others were
    clearly better; ``stopped`` with its job.
    """

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    COMPLETE = "complete", "Complete"
    GIVEN_UP = "given_up", "Given up"
    FAILED = "failed", "Failed"
    STOPPED = "stopped", "Stopped"


class Trial(TenantModel):
    """One algorithm with its parameters, cross-validated; the job's trials by rank are its leaderboard.

    ``share`` is less than 1 where it was tried on a part of the training rows: such trials have no rank where
    others were tried on all.
    ``number`` is its place in the search (see ``automl.course``); ``worker`` the one that makes it, 1 for the
    job's own. What a worker writes is written under its ``claim_token``: a trial that was taken from it is
    another's.
    """

    model_link = "job"

    job = models.ForeignKey(TrainingJob, on_delete=models.CASCADE, related_name="trials")
    algorithm = models.CharField(max_length=50)
    params = models.JSONField(default=dict)
    preprocessing = models.JSONField(
        default=dict, help_text="How the inputs were prepared, beyond the usual."
    )
    state = models.CharField(max_length=20, choices=TrialState, default=TrialState.RUNNING)
    share = models.FloatField(default=1.0)
    metric = models.CharField(max_length=50)
    fold_scores = models.JSONField(default=list, help_text="One dictionary of metrics for each fold.")
    mean = models.FloatField(null=True)
    std = models.FloatField(null=True)
    fit_seconds = models.FloatField(null=True, help_text="Of all folds together.")
    predict_ms = models.FloatField(null=True, help_text="Milliseconds of one row's answer.")
    size_bytes = models.PositiveBigIntegerField(null=True, help_text="Of the fitted model in memory.")
    number = models.PositiveIntegerField(null=True, help_text="Its place in the search, from 0.")
    worker = models.PositiveSmallIntegerField(default=1, help_text="1 is the job's own worker.")
    claim_token = models.UUIDField(null=True, editable=False)
    losses = models.PositiveSmallIntegerField(default=0, help_text="How many workers were lost with it.")
    seen = models.JSONField(
        default=list, help_text="The metric of each fold as it was made; a threshold may correct it later."
    )
    rank = models.PositiveSmallIntegerField(null=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["job", "rank", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "job", "number"], name="one_trial_at_a_place"),
        ]

    def __str__(self) -> str:
        return f"{self.algorithm} in {self.job}"
