"""What people said of predictions on the labelling page, before and after it became an outcome."""

from django.db import models

from mlplatform.tenancy.models import TenantModel


class LabelState(models.TextChoices):
    """Where the labelling of a row stands."""

    SKIPPED = "skipped", "Skipped so far"
    WAITING = "waiting", "Waits for a second opinion"
    DISPUTED = "disputed", "Two people disagree"
    SETTLED = "settled", "Settled"


class LabelItem(TenantModel):
    """A prediction that somebody was asked to label.

    ``second`` says that two people are to label it: then it becomes an outcome once they agree, or somebody
    else has decided.
    """

    model_link = "model"

    model = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.CASCADE, related_name="label_items"
    )
    prediction = models.ForeignKey(
        "registry.Prediction", on_delete=models.CASCADE, related_name="label_items"
    )
    state = models.CharField(max_length=10, choices=LabelState, default=LabelState.SKIPPED, editable=False)
    second = models.BooleanField("second opinion", default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, editable=False)
    settled_by = models.CharField(max_length=200, blank=True, editable=False)
    reason = models.CharField(max_length=500, blank=True, editable=False)

    class Meta:
        verbose_name = "labelled row"
        ordering = ["-created_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["tenant", "prediction"], name="one_label_item")]
        indexes = [models.Index(fields=["tenant", "model", "state"])]

    def __str__(self) -> str:
        return f"{self.model}: {self.prediction_id}"


class Label(TenantModel):
    """What one person said of it, or that the person would rather not say."""

    model_link = "model"

    item = models.ForeignKey(LabelItem, on_delete=models.CASCADE, related_name="labels")
    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.CASCADE, related_name="+")
    person = models.CharField(max_length=200)
    skipped = models.BooleanField(default=False)
    label = models.CharField(max_length=200, blank=True)
    value = models.FloatField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "item", "person"], name="one_label_of_each_person")
        ]

    def __str__(self) -> str:
        return "skipped" if self.skipped else str(self.told)

    @property
    def told(self) -> str | float:
        """The class, or the number."""
        return self.label if self.value is None else self.value
