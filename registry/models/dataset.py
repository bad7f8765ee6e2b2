"""Frozen snapshots of data."""

from django.db import models

from mlplatform.tenancy.models import TenantModel
from registry.models.fields import StoredFile


class Dataset(TenantModel):
    """A frozen Parquet snapshot, named by the hash of its content; the same content is stored once.

    ``columns`` is a list of ``registry.tabular.schema.Column``; ``profile`` comes from
    ``registry.tabular.profile.profile_frame``; ``origin`` tells where the rows came from. ``file`` is empty
    where the rows are kept no more; importing the same content restores it.
    """

    model_link = "model"

    name = models.CharField(max_length=100)
    content_hash = models.CharField("SHA-256 of the file", max_length=64, editable=False)
    file = StoredFile(folder="datasets", editable=False)
    size_bytes = models.BigIntegerField(editable=False)
    rows = models.BigIntegerField(editable=False)
    columns = models.JSONField(editable=False)
    profile = models.JSONField(editable=False)
    origin = models.JSONField(default=dict, editable=False)
    parent = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="children"
    )
    model = models.ForeignKey(
        "registry.RegisteredModel",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="own_datasets",
        help_text="The model whose predictions and outcomes it holds; none where it holds no model's.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=200, editable=False)

    uses = {
        "storage_bytes": models.Sum("size_bytes", filter=~models.Q(file="")),
        "stored_rows": models.Sum("rows", filter=~models.Q(file="")),
    }

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "content_hash"], name="dataset_content_once")
        ]
        indexes = [models.Index(fields=["tenant", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.name} · {self.content_hash[:8]}"
