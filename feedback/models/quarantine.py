"""Suspicious feedback, set aside until somebody decides, and the counts by which it is found."""

from django.db import models

from mlplatform.tenancy.models import TenantModel


class Suspicion(models.TextChoices):
    """What made a sender's labels suspicious."""

    DISAGREEMENT = "disagreement", "Disagrees with trusted labels"
    BALANCE = "balance", "The balance of labels has changed"
    SHARE = "share", "Suddenly gives most of the labels"


class QuarantineState(models.TextChoices):
    """What was decided about it."""

    OPEN = "open", "Waits for a decision"
    RELEASED = "released", "Released"
    REJECTED = "rejected", "Rejected"


class Quarantine(TenantModel):
    """Labels of one sender for one model that were set aside together.

    ``numbers`` tell by what. Its outcomes never count while it is open or rejected; while it is open,
    whatever the sender says of the model joins it.
    """

    model_link = "model"

    model = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.CASCADE, related_name="quarantines"
    )
    sender = models.CharField(max_length=200, editable=False)
    suspicion = models.CharField(max_length=20, choices=Suspicion, editable=False)
    reason = models.CharField(max_length=500, editable=False)
    numbers = models.JSONField(default=dict, editable=False)
    labels = models.PositiveIntegerField("labels set aside", default=0, editable=False)
    since = models.DateTimeField("labels received since", editable=False)
    state = models.CharField(
        max_length=10, choices=QuarantineState, default=QuarantineState.OPEN, editable=False
    )
    opened_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, editable=False)
    decided_by = models.CharField(max_length=200, blank=True, editable=False)
    decision = models.CharField(max_length=500, blank=True, editable=False)

    class Meta:
        verbose_name = "quarantine"
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "model", "sender"],
                condition=models.Q(state=QuarantineState.OPEN),
                name="one_open_quarantine_of_each",
            )
        ]
        indexes = [models.Index(fields=["tenant", "model", "sender", "-opened_at"])]

    def __str__(self) -> str:
        return f"{self.model}: {self.sender}"


class LabelTally(TenantModel):
    """How many labels one sender gave for a model on one day (UTC), counted since the last decision on them.

    ``imported`` ones came with past predictions; ``compared`` are those whose row a trusted sender labelled,
    too, and ``disagreed`` those of them that said something else.
    """

    model_link = "model"

    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.CASCADE, related_name="+")
    sender = models.CharField(max_length=200)
    day = models.DateField()
    since = models.DateTimeField()
    labels = models.PositiveIntegerField(default=0)
    imported = models.PositiveIntegerField(default=0)
    compared = models.PositiveIntegerField(default=0)
    disagreed = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "label tallies"
        ordering = ["-day", "sender"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "model", "day", "sender"], name="one_label_tally_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.sender} on {self.day}: {self.labels}"
