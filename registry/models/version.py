"""One trained version of a model."""

from typing import Any

from django.db import models

from mlplatform.tenancy.models import TenantModel
from mlplatform.tenancy.models.audit import ImmutableRow
from registry.models.fields import StoredFile

# What a training has made. Features and histograms are not here: values of columns that turn out to be
# personal are taken out of them. Nor are status, tags, words of the card, seal and twin: they are not what
# was trained.
LOCKED = frozenset(
    {
        *("model", "number", "algorithm", "params", "classes", "metrics", "cv_metrics", "importance"),
        *("dataset", "split", "holdout_rows", "artifact_hash", "artifact_bytes", "environment"),
        *("created_at", "created_by"),
    }
)


class VersionStatus(models.TextChoices):
    """Whether the version may be deployed."""

    READY = "ready", "Ready"
    FAILED = "failed", "Failed its smoke test"
    ARCHIVED = "archived", "Archived"


class ModelVersion(TenantModel):
    """An immutable trained pipeline with its record.

    ``features`` is a list of ``registry.tabular.schema.Column``; ``classes`` the labels in the order of the
    probabilities (None for regression); ``metrics`` the hold-out's scores, ``cv_metrics`` mean and standard
    deviation over folds; ``reference`` the training rows' histograms by feature, and the hold-out's
    predictions under ``prediction``; ``evaluation`` what ``training.evaluation.report.Evaluation`` says, with
    the confidence interval of each metric under ``intervals``; ``conformal`` the calibration behind intervals
    and sets (``registry.inference.conformal.Calibration``); ``artifact_*`` says where the signed file is and
    what it must hash to, ``twin_*`` the same of its twin in ONNX, where there is one; ``twin`` is a
    ``registry.inference.twins.TwinReport``. An archived version has no files any more.
    """

    model_link = "model"

    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=20, choices=VersionStatus, default=VersionStatus.READY)
    status_reason = models.CharField(max_length=500, blank=True)
    algorithm = models.CharField(max_length=50)
    params = models.JSONField(default=dict)
    features = models.JSONField()
    classes = models.JSONField(null=True)
    metrics = models.JSONField(default=dict)
    cv_metrics = models.JSONField(default=dict)
    importance = models.JSONField(default=list)
    reference = models.JSONField(default=dict)
    evaluation = models.JSONField(default=dict)
    conformal = models.JSONField(null=True)
    dataset = models.ForeignKey("registry.Dataset", on_delete=models.PROTECT, related_name="versions")
    split = models.JSONField(default=dict, help_text="The rule by which rows were held out.")
    holdout_rows = models.PositiveIntegerField(default=0)
    artifact_file = StoredFile(folder="artifacts")
    artifact_hash = models.CharField(max_length=64)
    artifact_signature = models.CharField(max_length=64)
    artifact_bytes = models.BigIntegerField()
    twin_file = StoredFile(folder="twins", blank=True)
    twin_hash = models.CharField(max_length=64, blank=True)
    twin_signature = models.CharField(max_length=64, blank=True)
    twin_bytes = models.BigIntegerField(default=0)
    twin = models.JSONField(default=dict, help_text="How far the twin agreed, or why there is none.")
    environment = models.JSONField(
        default=dict, help_text="Library versions, seed and threads of the training."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=200)

    tags = models.JSONField(default=dict, editable=False, help_text="Words to find it by: name and value.")
    card_words = models.JSONField(
        default=dict, editable=False, help_text="What people wrote into its card in place of the model's."
    )
    origin = models.JSONField(
        default=dict, editable=False, help_text="Of an imported version: from where, by whom, when."
    )

    # Whether a rollout may run against it; whoever looks the champion up is told when there is none.
    may_be_tried = True

    uses = {
        "storage_bytes": models.Sum(
            models.F("artifact_bytes") + models.F("twin_bytes"), filter=~models.Q(artifact_file="")
        )
    }

    class Meta:
        verbose_name = "model version"
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "model", "number"], name="version_number_once")
        ]
        indexes = [models.Index(fields=["tenant", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.model.name} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the row; what was trained is never changed once the version was deployed: raises ImmutableRow.

        On PostgreSQL the database refuses it as well.
        """
        changed = kwargs.get("update_fields")
        touches = changed is None or not LOCKED.isdisjoint(changed)
        if touches and not self._state.adding and self.deployments.exists():
            raise ImmutableRow("A version that was deployed is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Delete the row; raises ImmutableRow for a version that was deployed."""
        if self.deployments.exists():
            raise ImmutableRow("A version that was deployed is never deleted.")
        return super().delete(*args, **kwargs)
