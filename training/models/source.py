"""Data sources: where new rows come from, again and again."""

from django.db import models

from mlplatform.tenancy.models import TenantModel
from mlplatform.tenancy.models.sealed import SealedText


class SourceKind(models.TextChoices):
    """What a source can be; ``training.sources.kinds`` says how each is read."""

    SQL = "sql", "Database (SQL)"
    REST = "rest", "Web service (REST)"
    S3 = "s3", "Object in an S3 store"
    PREDICTIONS = "predictions", "Predictions with outcomes"


class OnSourceFailure(models.TextChoices):
    """What a job does whose source does not answer."""

    FAIL = "fail", "Fail"
    LAST_GOOD = "last_good", "Train on the last good snapshot, and say so"


class DataSource(TenantModel):
    """A place that gives rows, and how it is asked; each asking freezes a snapshot, a ``Dataset``.

    ``settings`` are those of its kind (``training.sources.kinds``), shown to everybody who may see the
    source. ``credential`` is the one secret, sealed and never shown again. ``personal`` maps columns to the
    treatment of what is kept beside a snapshot's file. ``model`` is set where the rows are a model's own.
    """

    model_link = "model"

    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=20, choices=SourceKind)
    settings = models.JSONField(default=dict)
    credential = SealedText()
    personal = models.JSONField(default=dict)
    model = models.ForeignKey(
        "registry.RegisteredModel", null=True, blank=True, on_delete=models.CASCADE, related_name="sources"
    )
    last_snapshot = models.ForeignKey(
        "registry.Dataset", null=True, editable=False, on_delete=models.PROTECT, related_name="sources"
    )
    last_snapshot_at = models.DateTimeField(null=True, editable=False)
    last_failure = models.TextField(blank=True, editable=False)
    last_failed_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=200, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"],
                name="source_name_once",
                violation_error_message="A source of this name exists already.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_failing(self) -> bool:
        """Whether the newest attempt at a snapshot failed."""
        if self.last_failed_at is None:
            return False
        return self.last_snapshot_at is None or self.last_failed_at > self.last_snapshot_at
