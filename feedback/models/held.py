"""Outcomes that came before their predictions."""

from django.db import models

from mlplatform.tenancy.models import TenantModel


class HeldState(models.TextChoices):
    """What became of it; a joined one is an outcome, and its row here is gone."""

    WAITING = "waiting", "Waiting"
    EXPIRED = "expired", "No prediction came"
    REFUSED = "refused", "Did not fit its prediction"


class HeldOutcome(TenantModel):
    """A report about a prediction that is not known yet, kept until it is or the time is over.

    It names the prediction by ``prediction_key``, or by ``model`` and the case's pseudonym. ``value`` is the
    outcome as it was sent, null where only a rating or a comment was. Who sent it, by kind and id, is asked
    for the right to tell of the prediction's model once that is known.
    """

    model_link = "model"
    unlinked_is_common = False

    model = models.ForeignKey(
        "registry.RegisteredModel", null=True, editable=False, on_delete=models.CASCADE, related_name="+"
    )
    prediction_key = models.UUIDField("prediction", null=True, editable=False)
    entity_key = models.CharField("case", max_length=200, blank=True, editable=False)
    value = models.JSONField(null=True, editable=False)
    rating = models.CharField(max_length=4, blank=True, editable=False)
    comment = models.TextField(blank=True, editable=False)
    observed_at = models.DateTimeField(null=True, editable=False)
    state = models.CharField(max_length=10, choices=HeldState, default=HeldState.WAITING, editable=False)
    reason = models.CharField(max_length=300, blank=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    source = models.CharField(max_length=20, editable=False)
    received_at = models.DateTimeField(editable=False)
    received_from = models.CharField(max_length=200, editable=False)
    sender_kind = models.CharField(max_length=20, editable=False)
    sender_id = models.BigIntegerField(null=True, editable=False)

    class Meta:
        verbose_name = "held outcome"
        ordering = ["-received_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "digest"],
                condition=models.Q(state=HeldState.WAITING),
                name="held_outcome_once",
            )
        ]
        indexes = [models.Index(fields=["tenant", "state", "received_at"])]

    def __str__(self) -> str:
        return str(self.prediction_key or f"case {self.entity_key}")

    def arrive(self) -> None:
        """Wait no longer where somebody's right would be asked: who that was is not known here."""
        if self.sender_id is not None and self.state == HeldState.WAITING:
            self.state, self.reason = HeldState.EXPIRED, "The tenant was moved meanwhile. Send it again."
        self.sender_id = None
