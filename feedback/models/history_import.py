"""Past predictions that were brought in."""

from django.db import models

from mlplatform.tenancy.models import TenantModel


class HistoryImport(TenantModel):
    """One file of past predictions that was imported.

    The file is known again by its hash, also when retention has removed its predictions: what was counted
    once is not counted again.
    """

    model_link = "model"

    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.CASCADE, related_name="+")
    name = models.CharField("file", max_length=200, editable=False)
    content_hash = models.CharField("SHA-256", max_length=64, editable=False)
    lines = models.PositiveIntegerField(editable=False)
    predictions = models.PositiveIntegerField("predictions added", editable=False)
    outcomes = models.PositiveIntegerField("outcomes added", editable=False)
    repeated = models.PositiveIntegerField("known already", editable=False)
    refused = models.PositiveIntegerField("lines refused", editable=False)
    first_at = models.DateTimeField("oldest prediction", null=True, editable=False)
    last_at = models.DateTimeField("newest prediction", null=True, editable=False)
    imported_at = models.DateTimeField(editable=False)
    imported_by = models.CharField(max_length=200, editable=False)

    class Meta:
        verbose_name = "imported history"
        verbose_name_plural = "imported histories"
        ordering = ["-imported_at", "-pk"]
        indexes = [models.Index(fields=["tenant", "model", "content_hash"])]

    def __str__(self) -> str:
        return self.name
