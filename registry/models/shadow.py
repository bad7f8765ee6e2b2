"""What versions that answer in shadow said, beside the answers that clients were given."""

from django.db import models

from mlplatform.tenancy.models import TenantModel


class ShadowAnswer(TenantModel):
    """What another version says of a logged row; no client ever sees it.

    The row's features stand in the log alone. ``failure`` says why the version has no answer. Both times are
    taken off the request's path, one after the other, for a single row now and then.
    """

    model_link = "model"

    prediction = models.ForeignKey("registry.Prediction", on_delete=models.CASCADE, related_name="shadows")
    model = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.PROTECT, related_name="shadow_answers"
    )
    version = models.ForeignKey(
        "registry.ModelVersion", on_delete=models.PROTECT, related_name="shadow_answers"
    )
    label = models.CharField(max_length=200, blank=True)
    value = models.FloatField(null=True)
    probabilities = models.JSONField(null=True)
    failure = models.CharField(max_length=300, blank=True)
    latency_ms = models.FloatField(null=True, help_text="Time to answer this row alone, in milliseconds.")
    champion_ms = models.FloatField(
        null=True, help_text="What the version that the client heard took for it, in milliseconds."
    )
    asked_at = models.DateTimeField(help_text="When the client asked.")

    uses = {"stored_rows": models.Count("pk")}

    class Meta:
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "prediction", "version"], name="one_shadow_per_version")
        ]
        indexes = [models.Index(fields=["tenant", "version", "-asked_at"])]

    def __str__(self) -> str:
        return self.failure or self.label or str(self.value)


class ShadowTally(TenantModel):
    """How many rows a version was to answer in shadow and could not be asked, with the last reason."""

    model_link = "model"

    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.CASCADE, related_name="+")
    version = models.OneToOneField(
        "registry.ModelVersion", on_delete=models.CASCADE, related_name="shadow_tally"
    )
    dropped = models.PositiveBigIntegerField(default=0)
    reason = models.CharField(max_length=300, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.version}: {self.dropped} rows dropped"
