"""Ways by which people and programs hear of alerts."""

from django.core.validators import MaxValueValidator
from django.db import models

from mlplatform.tenancy.models import TenantModel
from mlplatform.tenancy.models.sealed import SealedText
from monitoring.models.alert import Severity


class ChannelKind(models.TextChoices):
    """What a channel can be; ``monitoring.channels`` has a file for each."""

    EMAIL = "email", "E-mail"
    SLACK = "slack", "Slack or a compatible chat"
    WEBHOOK = "webhook", "Webhook (CloudEvents)"


class Digest(models.TextChoices):
    """How often a channel gets a summary."""

    NONE = "", "No summary"
    DAILY = "daily", "Every day"
    WEEKLY = "weekly", "Every Monday"


class Channel(TenantModel):
    """One way out, and what goes that way.

    ``settings`` are those of its kind and may be shown; ``credential`` is the one secret, sealed and never
    shown again: a chat's address, or the key that signs a webhook.
    """

    model_link = None

    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=ChannelKind)
    settings = models.JSONField(default=dict)
    credential = SealedText()
    least_severity = models.CharField(max_length=10, choices=Severity, default=Severity.WARNING)
    model_names = models.JSONField(default=list, help_text="The models it hears of; empty for all.")
    on_raised = models.BooleanField(default=True, help_text="Tell when an alert is raised.")
    on_escalated = models.BooleanField(default=True, help_text="Tell when an alert became graver.")
    on_resolved = models.BooleanField(default=False, help_text="Tell when an alert is over.")
    digest = models.CharField(max_length=10, choices=Digest, blank=True, default=Digest.NONE)
    digest_hour = models.PositiveSmallIntegerField(
        default=7, validators=[MaxValueValidator(23)], help_text="At which hour (UTC) the summary goes out."
    )
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=200, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"],
                name="channel_name_once",
                violation_error_message="A channel of this name exists already.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def arrive(self) -> None:
        """Come switched off: its secret stayed behind, and whoever moved the tenant says where to write."""
        self.enabled = False
