"""What was asked, answered and found true in an hour, as counts that add up."""

from django.db import models

from mlplatform.tenancy.models import TenantModel


class Rollup(TenantModel):
    """One version's predictions that were made from ``begins`` on, until the hour is over.

    An hour in which the champion changes is cut there, which tells a version's time as champion apart.
    ``columns`` counts each watched feature, and the answers under ``prediction``, on the bins of the
    version's reference; ``service`` counts who asked, what answered and how long it took; ``quality`` is the
    tally of the answers whose outcome is known (``monitoring.statistics.tallies``), ``estimate`` what tells
    quality before that, ``data`` what was amiss with the rows. The predictions themselves may be gone: what
    was counted stays. Where the model names slices, each slice has hours of its own beside those of the
    whole, whose ``slice_column`` is empty.
    """

    model_link = "model"

    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.CASCADE, related_name="rollups")
    version = models.ForeignKey("registry.ModelVersion", on_delete=models.CASCADE, related_name="rollups")
    begins = models.DateTimeField()
    slice_column = models.CharField(max_length=200, blank=True, default="")
    slice_value = models.CharField(max_length=200, blank=True, default="")
    predictions = models.PositiveIntegerField(default=0)
    labelled = models.PositiveIntegerField(default=0)
    columns = models.JSONField(default=dict)
    service = models.JSONField(default=dict)
    quality = models.JSONField(default=dict)
    estimate = models.JSONField(default=dict)
    data = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-begins", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "version", "begins", "slice_column", "slice_value"],
                name="one_rollup_per_hour_and_slice",
            )
        ]
        indexes = [models.Index(fields=["tenant", "model", "slice_column", "-begins"])]

    def __str__(self) -> str:
        of = f", {self.slice_column} {self.slice_value}" if self.slice_column else ""
        return f"{self.version}, {self.begins:%Y-%m-%d %H:%M}{of}"
