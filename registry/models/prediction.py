"""The log of what was asked and answered."""

import os
import time
import uuid

from django.db import models

from mlplatform.tenancy.models import TenantModel
from mlplatform.tenancy.scope import current_tenant_id
from registry.inference.bounds import Bounds
from registry.inference.reasons import Reasons

RANDOM_BYTES = 10
CHANCE = (1 << 80) - 1 & ~(0xF << 76) & ~(0x3 << 62)  # what of them is left to chance


def time_ordered_uuid() -> uuid.UUID:
    """Return a UUID of version 7 (RFC 9562): time first, so that new rows lie together in the index."""
    return time_ordered_uuids(1)[0]


def time_ordered_uuids(count: int) -> list[uuid.UUID]:
    """Return so many UUIDs of version 7 (RFC 9562) of this moment, in no order among each other."""
    moment = time.time_ns() // 1_000_000 << 80 | 0x7 << 76 | 0x2 << 62
    chance = os.urandom(RANDOM_BYTES * count)
    return [
        uuid.UUID(int=moment | int.from_bytes(chance[start : start + RANDOM_BYTES], "big") & CHANCE)
        for start in range(0, len(chance), RANDOM_BYTES)
    ]


class Prediction(TenantModel):
    """One row asked and answered. ``label`` is the predicted class, ``value`` the predicted number.

    ``entity_key`` is the pseudonym of the client's name for the case; ``features`` are treated by the marks
    of the model's personal columns.
    """

    model_link = "model"

    id = models.UUIDField(primary_key=True, default=time_ordered_uuid, editable=False)
    tenant = models.ForeignKey(
        "tenancy.Tenant",
        on_delete=models.PROTECT,
        default=current_tenant_id,
        editable=False,
        related_name="+",
        db_index=False,
    )
    model = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.PROTECT, related_name="predictions", db_index=False
    )
    version = models.ForeignKey(
        "registry.ModelVersion", on_delete=models.PROTECT, related_name="predictions", db_index=False
    )
    entity_key = models.CharField(max_length=200, blank=True, help_text="Pseudonym of the client's case.")
    features = models.JSONField()
    label = models.CharField(max_length=200, blank=True)
    value = models.FloatField(null=True)
    probabilities = models.JSONField(null=True)
    engine = models.CharField(
        max_length=20, blank=True, help_text="What computed it: the original pipeline, or its twin in ONNX."
    )
    cached = models.BooleanField(
        default=False, help_text="The answer was kept in memory from an equal row asked before."
    )
    latency_ms = models.FloatField(help_text="Time to answer the whole request, in milliseconds.")
    request_id = models.CharField(max_length=64, blank=True)
    asked_by = models.CharField(max_length=200)
    rollout = models.ForeignKey(
        "registry.Rollout",
        null=True,
        on_delete=models.PROTECT,
        related_name="predictions",
        db_index=False,
        help_text="The rollout that dealt the case to this version; none where a version was asked for.",
    )
    created_at = models.DateTimeField()
    rolled_up = models.BooleanField(
        default=False, editable=False, help_text="Whether its hour's roll-up counts it."
    )

    # How sure the answer is, and why it is so, for whoever asked: told with the answer, not logged.
    bounds: Bounds | None = None
    reasons: Reasons | None = None

    uses = {"stored_rows": models.Count("pk")}

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            # Every one of them is written with every row: one for each way of looking, none for a foreign key
            # that another begins with.
            models.Index(fields=["tenant", "created_at"]),
            models.Index(fields=["model", "-created_at"]),
            models.Index(fields=["version", "created_at"]),
            models.Index(fields=["tenant", "entity_key"]),
            # Rows outside a rollout, which are most, cost it nothing.
            models.Index(
                fields=["tenant", "rollout"],
                condition=models.Q(rollout__isnull=False),
                name="predictions_of_a_rollout",
            ),
            models.Index(
                fields=["tenant", "version", "created_at"],
                condition=models.Q(rolled_up=False),
                name="prediction_not_rolled_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label or self.value}"
