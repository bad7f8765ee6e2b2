"""How models and the parts of the installation were, looked at every few minutes."""

from django.db import models

from mlplatform.tenancy.models import TenantModel


class HealthState(models.TextChoices):
    """A verdict, the better ones first."""

    GOOD = "good", "Well"
    IDLE = "idle", "Not asked"
    WARN = "warn", "Needs a look"
    BAD = "bad", "Not well"


class HealthSpan(models.Model):
    """A stretch in which every look came to the same: ``ends`` is the last of them.

    ``reasons`` name what was found, ``words`` say it as of the last look.
    """

    state = models.CharField(max_length=10, choices=HealthState)
    reasons = models.JSONField(default=list)
    words = models.TextField(blank=True)
    begins = models.DateTimeField()
    ends = models.DateTimeField()

    class Meta:
        abstract = True
        ordering = ["-ends", "-pk"]

    def __str__(self) -> str:
        return f"{self.get_state_display()}: {self.words}"


class ModelHealth(TenantModel, HealthSpan):
    """How one model was."""

    model_link = "model"

    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.CASCADE, related_name="health")

    class Meta(HealthSpan.Meta):
        indexes = [models.Index(fields=["tenant", "ends"]), models.Index(fields=["model", "-ends"])]


class SystemHealth(HealthSpan):
    """How one part of the installation was, which serves all tenants."""

    part = models.CharField(max_length=50)

    class Meta(HealthSpan.Meta):
        indexes = [models.Index(fields=["ends"])]
