"""Training jobs: rows with a life."""

from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from mlplatform.tenancy.models import TenantModel
from training.models.source import OnSourceFailure

if TYPE_CHECKING:
    from training.models.trial import Trial


class JobState(models.TextChoices):
    """The states of a job. ``failed`` is expected and explained; ``errored`` is a bug, with a traceback."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    ERRORED = "errored", "Errored"
    CANCELLED = "cancelled", "Cancelled"


TELLING = 8  # percent: before, next to nothing is known of how long the rest takes
ACTIVE_STATES = (JobState.QUEUED, JobState.RUNNING)


class Trigger(models.TextChoices):
    """What made the job."""

    MANUAL = "manual", "By hand"
    SCHEDULE = "schedule", "Schedule"
    POLICY = "policy", "Retraining policy"
    REPRODUCTION = "reproduction", "Reproduction of a version"


class Priority(models.TextChoices):
    """Which of a tenant's waiting jobs comes first; between tenants, whose turn it is decides."""

    LOW = "low", "Low"
    NORMAL = "normal", "Normal"
    HIGH = "high", "High"


class TrainingJob(TenantModel):
    """One run of training on one dataset, claimed by a worker through compare-and-set.

    With a ``source`` the worker first asks it for new rows, and ``dataset`` becomes that snapshot; until then
    it is the source's last one. ``source_note`` says where it had to stay.

    ``config`` is what ``services.configs.checked_config`` made of the request.
    ``claim_token`` changes with every claim; results are written only under the token of the claim that
    made them, so a worker that wakes too late changes nothing.
    """

    model_link = "model"

    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.PROTECT, related_name="jobs")
    dataset = models.ForeignKey("registry.Dataset", on_delete=models.PROTECT, related_name="jobs")
    source = models.ForeignKey(
        "training.DataSource", null=True, blank=True, on_delete=models.SET_NULL, related_name="jobs"
    )
    on_source_failure = models.CharField(max_length=10, choices=OnSourceFailure, default=OnSourceFailure.FAIL)
    source_note = models.TextField(blank=True, editable=False)
    config = models.JSONField()
    findings = models.JSONField(default=list, editable=False, help_text="What the checks of the data found.")
    trigger = models.CharField(max_length=20, choices=Trigger, default=Trigger.MANUAL)
    priority = models.CharField(max_length=10, choices=Priority, default=Priority.NORMAL)
    state = models.CharField(max_length=20, choices=JobState, default=JobState.QUEUED, db_index=True)
    stage = models.CharField(max_length=100, blank=True)
    progress = models.PositiveSmallIntegerField(default=0, help_text="Percent.")
    attempt = models.PositiveSmallIntegerField(default=0)
    claim_token = models.UUIDField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    search_opened_at = models.DateTimeField(
        null=True, editable=False, help_text="Since when other workers may help with the search."
    )
    cancel_requested = models.BooleanField(default=False)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.TextField(blank=True)
    traceback = models.TextField(blank=True)
    version = models.OneToOneField(
        "registry.ModelVersion", null=True, on_delete=models.PROTECT, related_name="job"
    )
    reproduces = models.ForeignKey(
        "registry.ModelVersion",
        null=True,
        on_delete=models.PROTECT,
        related_name="reproductions",
        help_text="The version that this job rebuilds, to show that it can be: it makes none of its own.",
    )
    verdict = models.JSONField(null=True, editable=False, help_text="How the rebuilt version compares.")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=200)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    under_way = models.Q(state=JobState.RUNNING)
    uses = {
        "running_jobs": models.Count("pk", filter=models.Q(state=JobState.RUNNING)),
        "active_jobs": models.Count("pk", filter=models.Q(state__in=ACTIVE_STATES)),
    }

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "model", "dataset"],
                condition=models.Q(state__in=ACTIVE_STATES, reproduces=None),
                name="one_active_job_per_dataset",
            )
        ]
        indexes = [models.Index(fields=["tenant", "-created_at"])]

    def __str__(self) -> str:
        return f"Job {self.pk} of {self.model}"

    @property
    def ranked_trials(self) -> "models.QuerySet[Trial]":
        """The leaderboard: the best trial first, unranked ones last."""
        return self.trials.order_by(models.F("rank").asc(nulls_last=True), "pk")

    def arrive(self) -> None:
        """End a job that waited or ran where it came from: its worker is not here."""
        if self.is_active:
            self.state = JobState.CANCELLED
            self.finished_at = timezone.now()
            self.error = "The job had not ended when its tenant was exported. Start it again."

    @property
    def seconds_left(self) -> int | None:
        """An estimate from the share that is done and the time it took; None where it is too early."""
        if self.state != JobState.RUNNING or self.started_at is None or self.progress < TELLING:
            return None
        passed = (timezone.now() - self.started_at).total_seconds()
        return round(passed * (100 - self.progress) / self.progress)

    @property
    def is_active(self) -> bool:
        """Whether the job waits or runs."""
        return self.state in ACTIVE_STATES


class JobLogLine(TenantModel):
    """One line of a job's log."""

    model_link = "job"

    job = models.ForeignKey(TrainingJob, on_delete=models.CASCADE, related_name="log")
    at = models.DateTimeField(auto_now_add=True)
    level = models.CharField(max_length=10, default="info")
    message = models.TextField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.message
