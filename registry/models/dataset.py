"""Frozen snapshots of data."""

from django.db import models

from mlplatform.tenancy.models import TenantModel


class Dataset(TenantModel):
    """A frozen Parquet snapshot, named by the hash of its content; the same content is stored once.

    ``columns`` is a list of ``registry.tabular.schema.Column``; ``profile`` comes from
    ``registry.tabular.profile.profile_frame``; ``origin`` tells where the rows came from.
    """

    name = models.CharField(max_length=100)
    content_hash = models.CharField("SHA-256 of the file", max_length=64, editable=False)
    file = models.CharField(max_length=200, editable=False)
    size_bytes = models.BigIntegerField(editable=False)
    rows = models.BigIntegerField(editable=False)
    columns = models.JSONField(editable=False)
    profile = models.JSONField(editable=False)
    origin = models.JSONField(default=dict, editable=False)
    parent = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="children"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=200, editable=False)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "content_hash"], name="dataset_content_once")
        ]
        indexes = [models.Index(fields=["tenant", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.name} · {self.content_hash[:8]}"
