"""Ground truth for predictions."""

from django.db import models

from feedback.models.quarantine import QuarantineState
from mlplatform.tenancy.models import TenantModel

# What may count: was never set aside, or was released.
STANDING_STATES = (None, QuarantineState.RELEASED)
STANDS = models.Q(quarantine=None) | models.Q(quarantine__state=QuarantineState.RELEASED)
# A current outcome that no roll-up counts yet, or a counted one that was corrected since.
UNSETTLED = models.Q(rolled_up=False, current=True) | models.Q(rolled_up=True, current=False)


class Outcome(TenantModel):
    """What a prediction turned out to be. A correction is a new row; the newest is ``current``.

    Newest by the time it was observed at, or where nobody said so received at; of equals the one received
    last. ``delay_seconds`` is how long after its prediction the first outcome came; of later ones, and of
    imported history, it is empty. One in an open or rejected ``quarantine`` is never current.
    """

    model_link = "model"

    prediction = models.ForeignKey("registry.Prediction", on_delete=models.CASCADE, related_name="outcomes")
    model = models.ForeignKey(  # the index by time of receipt begins with it
        "registry.RegisteredModel", on_delete=models.PROTECT, related_name="outcomes", db_index=False
    )
    label = models.CharField(max_length=200, blank=True)
    value = models.FloatField(null=True, blank=True)
    current = models.BooleanField(default=True, editable=False)
    rolled_up = models.BooleanField(
        default=False, editable=False, help_text="Whether its prediction's hour counts it."
    )
    source = models.CharField(
        max_length=20,
        default="api",
        editable=False,
        help_text="api, console, file, history, labelling, or agreed: by two people who labelled it",
    )
    quarantine = models.ForeignKey(
        "feedback.Quarantine",
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="outcomes",
        db_index=False,
    )
    observed_at = models.DateTimeField(
        null=True, editable=False, help_text="When it happened, as whoever reported it says."
    )
    delay_seconds = models.FloatField(null=True, editable=False)
    received_at = models.DateTimeField(db_index=True, editable=False)
    received_from = models.CharField(max_length=200, editable=False)

    class Meta:
        ordering = ["-received_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "prediction"],
                condition=models.Q(current=True),
                name="one_current_outcome",
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "model", "-received_at"]),
            models.Index(
                fields=["tenant", "prediction"],
                condition=UNSETTLED,
                name="outcome_to_roll_up",
            ),
            # Outcomes that were never set aside, which are most, cost it nothing.
            models.Index(
                fields=["tenant", "quarantine"],
                condition=models.Q(quarantine__isnull=False),
                name="outcomes_set_aside",
            ),
        ]

    def __str__(self) -> str:
        return self.label or str(self.value)
