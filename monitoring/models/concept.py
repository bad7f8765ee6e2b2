"""Whether a version's errors have become more frequent or larger, as a stream."""

from django.db import models

from mlplatform.tenancy.models import TenantModel


class ErrorStream(TenantModel):
    """What the test for concept drift knows of one version's errors; each outcome is in it once.

    ``state`` is that of the test (``monitoring.statistics.concept.PageHinkley``). ``changes`` are what it
    told of, the oldest first: ``at`` (the prediction after which it did), ``rows`` so far, the mean error
    ``before`` and ``since``. ``course`` holds points [moment, evidence, mean error] for the picture.
    """

    model_link = "model"

    model = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.CASCADE, related_name="error_streams"
    )
    version = models.OneToOneField(
        "registry.ModelVersion", on_delete=models.CASCADE, related_name="error_stream"
    )
    rows = models.PositiveIntegerField(default=0, help_text="Outcomes that were followed.")
    state = models.JSONField(default=dict)
    changes = models.JSONField(default=list)
    course = models.JSONField(default=list)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"Errors of {self.version}"
