"""What runs, and the history of every change of it."""

from typing import NoReturn

from django.db import models

from mlplatform.tenancy.models import TenantModel
from mlplatform.tenancy.models.audit import ImmutableRow, actor_name

CHAMPION = "champion"


class Alias(TenantModel):
    """A name that points to one version of a model; ``champion`` answers the API.

    The constraint makes two champions of one model impossible, whoever races whom.
    """

    model_link = "model"

    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.PROTECT, related_name="aliases")
    name = models.CharField(max_length=50, default=CHAMPION)
    version = models.ForeignKey("registry.ModelVersion", on_delete=models.PROTECT, related_name="aliases")
    revision = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "aliases"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "model", "name"], name="one_version_per_alias")
        ]

    def __str__(self) -> str:
        return f"{self.name} → {self.version}"


class DeploymentAction(models.TextChoices):
    """What sort of change."""

    PROMOTE = "promote", "Promoted"
    ROLLBACK = "rollback", "Rolled back"
    ALIAS = "alias", "Named"
    UNALIAS = "unalias", "Name taken off"


class Deployment(TenantModel):
    """One immutable row per change of what runs: who, when, why, from what, to what."""

    model_link = "model"

    model = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.PROTECT, related_name="deployments"
    )
    alias = models.CharField(max_length=50, default=CHAMPION)
    action = models.CharField(max_length=20, choices=DeploymentAction)
    version = models.ForeignKey("registry.ModelVersion", on_delete=models.PROTECT, related_name="deployments")
    previous = models.ForeignKey(
        "registry.ModelVersion", null=True, on_delete=models.PROTECT, related_name="replaced_by"
    )
    reason = models.CharField(max_length=500, blank=True)
    gates = models.JSONField(default=list)
    overridden = models.BooleanField(
        default=False, help_text="A gate had failed, and an approver passed over it."
    )
    request = models.OneToOneField(
        "registry.PromotionRequest", null=True, on_delete=models.PROTECT, related_name="deployment"
    )
    actor_kind = models.CharField(max_length=20)
    actor_label = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["tenant", "model", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.version}"

    @property
    def actor(self) -> str:
        """Who made the change."""
        return actor_name(self.actor_kind, self.actor_label)

    def save(self, *args: object, **kwargs: object) -> None:
        """Insert the row; a second save raises ImmutableRow."""
        if not self._state.adding:
            raise ImmutableRow("A deployment is history and is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: object, **kwargs: object) -> NoReturn:
        """Raise ImmutableRow."""
        raise ImmutableRow("A deployment is history and is never deleted.")
