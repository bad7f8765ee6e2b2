"""Batch jobs: many rows in, a file of answers out."""

from typing import Any

from django.db import models
from django.utils import timezone

from mlplatform.tenancy.models import TenantModel
from registry.models.fields import StoredFile
from training.models.job import ACTIVE_STATES, JobState

GONE = "The job had not ended when its tenant was exported. Start it again."


class FileForm(models.TextChoices):
    """How a file of answers is written."""

    CSV = "csv", "CSV"
    PARQUET = "parquet", "Parquet"
    JSON_LINES = "jsonl", "JSON Lines"


class OnBadRow(models.TextChoices):
    """What happens where a row does not fit the model."""

    FAIL = "fail", "Fail, and name the first such rows"
    SKIP = "skip", "Leave its answer empty, and say why in a second file"


class BatchJob(TenantModel):
    """Answers for every row of a file, a dataset or a source, by one version, made in parts.

    ``version`` is the one that answered to ``asked`` (champion, an alias, a number) when the job was made.
    ``options`` is a ``services.batch_options.Options``. ``layout`` says how the input is written, and
    ``engine`` who answers, both from the first part on. ``stored_bytes`` counts the files that it holds now.
    """

    model_link = "model"

    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.PROTECT, related_name="batches")
    version = models.ForeignKey("registry.ModelVersion", on_delete=models.PROTECT, related_name="batches")
    asked = models.CharField(max_length=100)
    dataset = models.ForeignKey(
        "registry.Dataset", null=True, blank=True, on_delete=models.PROTECT, related_name="batches"
    )
    source = models.ForeignKey(
        "training.DataSource", null=True, blank=True, on_delete=models.SET_NULL, related_name="batches"
    )
    input_name = models.CharField(max_length=200)
    input_file = StoredFile(folder="batches", blank=True)
    input_bytes = models.BigIntegerField(default=0)
    form = models.CharField("format", max_length=10, choices=FileForm, default=FileForm.CSV)
    on_bad_row = models.CharField(max_length=10, choices=OnBadRow, default=OnBadRow.FAIL)
    options = models.JSONField(default=dict)
    layout = models.JSONField(default=dict, editable=False)
    engine = models.CharField(max_length=20, blank=True, editable=False)
    state = models.CharField(max_length=20, choices=JobState, default=JobState.QUEUED, db_index=True)
    rows = models.BigIntegerField(default=0, help_text="Answered so far, bad ones among them.")
    bad_rows = models.BigIntegerField(default=0)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.TextField(blank=True)
    traceback = models.TextField(blank=True)
    output_file = StoredFile(folder="batches", blank=True)
    output_hash = models.CharField("SHA-256 of the answers", max_length=64, blank=True)
    output_bytes = models.BigIntegerField(default=0)
    errors_file = StoredFile(folder="batches", blank=True)
    stored_bytes = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=200)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True, help_text="When the files of answers are deleted.")

    under_way = models.Q(state=JobState.RUNNING)
    uses = {
        "active_jobs": models.Count("pk", filter=models.Q(state__in=ACTIVE_STATES)),
        "storage_bytes": models.Sum("stored_bytes"),
    }

    class Meta:
        verbose_name = "batch job"
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["tenant", "-created_at"])]

    def __str__(self) -> str:
        return f"Batch {self.pk} of {self.model}"

    @property
    def is_active(self) -> bool:
        """Whether the job waits or runs."""
        return self.state in ACTIVE_STATES

    @property
    def progress(self) -> int:
        """Percent of the parts that are done; the reading and the joining are parts, too."""
        if self.state == JobState.SUCCEEDED:
            return 100
        states = list(self.parts.values_list("state", flat=True))
        done = states.count(PartState.DONE)
        return 100 * done // (len(states) + 1)  # the joining comes last

    def arrive(self) -> None:
        """End a job that waited or ran where it came from: its worker is not here."""
        if self.is_active:
            self.state, self.error, self.finished_at = JobState.CANCELLED, GONE, timezone.now()


class PartKind(models.TextChoices):
    """What is done in a part: first the input is cut, then each piece answered, then all are joined."""

    READING = "reading", "Reading the input"
    ANSWERS = "answers", "Answering"
    JOINING = "joining", "Joining the parts"


class PartState(models.TextChoices):
    """The life of a part."""

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"


class BatchPart(TenantModel):
    """A piece of a batch job's work, claimed by a worker through compare-and-set.

    ``cut`` says which piece of the input it is (``training.batching.cutting.Cut``). ``claim_token`` changes
    with every claim, and a result is taken only under the token of the claim that made it: a part that is
    made twice counts once, in one file, whose content has the hash ``file_hash``.
    """

    model_link = "job"

    job = models.ForeignKey(BatchJob, on_delete=models.CASCADE, related_name="parts")
    kind = models.CharField(max_length=10, choices=PartKind)
    number = models.PositiveIntegerField()
    cut = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=PartState, default=PartState.WAITING, db_index=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    claim_token = models.UUIDField(null=True)
    worker = models.CharField(max_length=200, blank=True)
    heartbeat_at = models.DateTimeField(null=True)
    rows = models.BigIntegerField(default=0)
    bad_rows = models.BigIntegerField(default=0)
    file = StoredFile(folder="batches", blank=True)
    file_hash = models.CharField(max_length=64, blank=True)
    errors_file = StoredFile(folder="batches", blank=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    under_way = models.Q(state=PartState.RUNNING)
    uses = {"running_jobs": models.Count("pk", filter=models.Q(state=PartState.RUNNING))}

    class Meta:
        ordering = ["job", "number"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "job", "number"], name="batch_part_of_a_number")
        ]
        indexes = [models.Index(fields=["tenant", "state"])]

    def __str__(self) -> str:
        return f"Part {self.number} of {self.job}"

    def arrive(self) -> None:
        """End work that went on where it came from: it is not here."""
        if self.state == PartState.RUNNING:
            self.state, self.claim_token = PartState.WAITING, None


def storage_of(job: BatchJob) -> list[str]:
    """Return the paths of all files that the job and its parts name."""
    own: list[Any] = [job.input_file, job.output_file, job.errors_file]
    of_parts = job.parts.exclude(file="", errors_file="").values_list("file", "errors_file")
    return [path for path in (*own, *(one for pair in of_parts for one in pair)) if path]
