"""How a model's feedback is labelled and guarded."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from mlplatform.tenancy.models import TenantModel

MOST_SENDERS = 100


def share_field(default: float, help_text: str, *, least: float = 0.0) -> "models.FloatField[float, float]":
    """Return the column of a share."""
    bounds = [MinValueValidator(least), MaxValueValidator(1.0)]
    return models.FloatField(default=default, validators=bounds, help_text=help_text)


class FeedbackSettings(TenantModel):
    """Which rows get a second opinion, and what makes feedback suspicious.

    ``trusted`` names senders as outcomes tell them (``received_from``): the others are held against them.
    """

    model_link = "model"

    model = models.OneToOneField(
        "registry.RegisteredModel", on_delete=models.CASCADE, related_name="feedback_settings"
    )
    second_opinion_share = share_field(
        0.1, "Share of labelled rows that a second person labels, too, where there is one."
    )
    number_tolerance = share_field(
        0.1, "Numbers that differ by no more than this share of the larger one agree."
    )
    guard = models.BooleanField(default=True, help_text="Off: feedback is never set aside.")
    least_labels = models.PositiveIntegerField(
        default=100,
        validators=[MinValueValidator(20), MaxValueValidator(1_000_000)],
        help_text="A sender's labels of a day before its share and their balance are looked at.",
    )
    most_share = share_field(
        0.5, "A sender that suddenly gives more than this share of a day's labels is suspicious."
    )
    false_alarm_rate = models.FloatField(
        default=0.001,
        validators=[MinValueValidator(1e-9), MaxValueValidator(0.2)],
        help_text="How often labels that have not changed are suspected, for each sender and day.",
    )
    least_change = share_field(0.1, "By how much a class's share must have changed to be suspicious.")
    least_compared = models.PositiveIntegerField(
        default=20,
        validators=[MinValueValidator(5), MaxValueValidator(1_000_000)],
        help_text="Rows that trusted senders labelled, too, before disagreement is looked at.",
    )
    most_disagreement = share_field(
        0.2, "The share of a sender's labels that may differ from trusted ones.", least=0.001
    )
    trusted = models.JSONField(default=list, blank=True, help_text="Senders whose labels are trusted.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "feedback settings"

    def __str__(self) -> str:
        return f"Feedback settings of {self.model}"
