"""What is to be told by which channel: written with the event itself, sent afterwards."""

import uuid

from django.db import models

from mlplatform.tenancy.models import TenantModel
from monitoring.models.channel import Channel


class EventKind(models.TextChoices):
    """What is told."""

    RAISED = "raised", "Raised"
    ESCALATED = "escalated", "Became graver"
    RESOLVED = "resolved", "Resolved"
    WOKEN = "woken", "Snooze is over"
    DIGEST = "digest", "Summary"
    TEST = "test", "Test"


class DeliveryState(models.TextChoices):
    """How far a delivery is."""

    WAITING = "waiting", "Waiting"
    SENT = "sent", "Sent"
    DEAD = "dead", "Given up"


class Delivery(TenantModel):
    """One message for one channel, sent at least once; its ``key`` is the same in every attempt.

    ``event`` names what it is about, so that the same event is written down once for each channel.
    ``payload`` is what is told, as it was then; ``reached`` are the addresses that have it already.
    """

    model_link = "model"

    key = models.UUIDField(default=uuid.uuid4, editable=False)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="deliveries")
    model = models.ForeignKey(
        "registry.RegisteredModel", null=True, on_delete=models.CASCADE, related_name="deliveries"
    )
    kind = models.CharField(max_length=10, choices=EventKind)
    event = models.CharField(max_length=100)
    alerts = models.JSONField(default=list, help_text="The keys of the alerts that it tells of.")
    payload = models.JSONField(default=dict)
    state = models.CharField(
        max_length=10, choices=DeliveryState, default=DeliveryState.WAITING, db_index=True
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    reached = models.JSONField(default=list)
    last_error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "channel", "event"], name="an_event_once_per_channel")
        ]
        indexes = [models.Index(fields=["tenant", "state", "next_try_at"])]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.payload.get('subject', '')}"[:200]

    def arrive(self) -> None:
        """Come as history: what waited where the tenant was is not told from here."""
        if self.state == DeliveryState.WAITING:
            self.state, self.last_error = DeliveryState.DEAD, "The tenant moved before it was sent."
