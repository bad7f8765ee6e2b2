"""Requests to erase what is held about a person."""

from django.db import models

from mlplatform.tenancy.models import TenantModel


class SubjectErasure(TenantModel):
    """One request: whom it concerns, by pseudonym, and what was removed for it.

    ``traces`` names the frozen data and the versions that the person's rows went into, which erasing does not
    reach (see ``feedback.services.subjects.Traces``).
    """

    model_link = "model"

    entity = models.CharField("pseudonym", max_length=200, editable=False)
    model = models.ForeignKey(
        "registry.RegisteredModel", null=True, on_delete=models.PROTECT, related_name="erasures"
    )
    predictions = models.PositiveIntegerField(default=0, help_text="Predictions removed so far.")
    outcomes = models.PositiveIntegerField(default=0, help_text="Outcomes removed so far.")
    traces = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    requested_by = models.CharField(max_length=200)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "erased person"
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["tenant", "entity"])]

    def __str__(self) -> str:
        return f"Erasure of {self.entity[:12]}…"
