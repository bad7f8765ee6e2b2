"""Answers that are kept for a while, so that a repeated request changes nothing."""

from django.db import models

from mlplatform.tenancy.models import TenantModel


class KeptAnswer(TenantModel):
    """What was answered under an idempotency key, for whoever sends the same request again.

    A report of outcomes may be about several models; then it has none.

    ``name`` is the SHA-256 of who asked and their key, ``fingerprint`` that of what was asked; ``answer`` is
    JSON text with cases by their pseudonyms.
    """

    model_link = "model"

    model = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.CASCADE, null=True, related_name="+"
    )
    name = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64)
    answer = models.TextField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="kept_answer_once")]

    def __str__(self) -> str:
        return f"Answer of {self.model} to {self.name[:8]}"
