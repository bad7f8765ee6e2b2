"""Requests that somebody else make a version the champion."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from mlplatform.tenancy.models import TenantModel
from mlplatform.tenancy.models.audit import actor_name

SHORTEST_DAYS, LONGEST_DAYS, USUAL_DAYS = 1, 365, 14
DAYS_CHECKED = [MinValueValidator(SHORTEST_DAYS), MaxValueValidator(LONGEST_DAYS)]


class RequestState(models.TextChoices):
    """Where a request stands; all but the first are its end."""

    OPEN = "open", "Waits for approval"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"
    STALE = "stale", "Overtaken"


class PromotionRequest(TenantModel):
    """A version proposed as champion: by whom, against what, what the gates said, and what came of it.

    ``gates`` are the verdicts at the time of the proposal, against the version ``against``; those by which it
    was decided stand in the deployment. ``hand`` is the person or program behind ``actor_*``, by which four
    eyes are told apart. ``comments`` is a list of ``{"at", "by", "text"}``, the oldest first.
    """

    model_link = "model"

    model = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.PROTECT, related_name="promotion_requests"
    )
    version = models.ForeignKey(
        "registry.ModelVersion", on_delete=models.PROTECT, related_name="promotion_requests"
    )
    against = models.ForeignKey(
        "registry.ModelVersion", null=True, on_delete=models.PROTECT, related_name="challenged_by"
    )
    state = models.CharField(max_length=20, choices=RequestState, default=RequestState.OPEN)
    comment = models.CharField(max_length=1000, blank=True)
    comments = models.JSONField(default=list)
    gates = models.JSONField(default=list)
    actor_kind = models.CharField(max_length=20)
    actor_label = models.CharField(max_length=200)
    hand = models.CharField(max_length=250)
    expires_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, help_text="When the approvers were written to.")
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=250, blank=True)
    decision = models.CharField(max_length=1000, blank=True, help_text="The reason given.")

    class Meta:
        verbose_name = "promotion request"
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "version"],
                condition=models.Q(state=RequestState.OPEN),
                name="one_open_request_per_version",
            )
        ]
        indexes = [models.Index(fields=["tenant", "state", "expires_at"])]

    def __str__(self) -> str:
        return f"Promote {self.version}"

    @property
    def requested_by(self) -> str:
        """Who proposed it."""
        return actor_name(self.actor_kind, self.actor_label)

    @property
    def is_open(self) -> bool:
        """Whether it can still be decided."""
        return self.state == RequestState.OPEN and timezone.now() < self.expires_at
