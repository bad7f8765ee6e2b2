"""Reports that go out by mail at the end of each week, month or quarter."""

from django.core.validators import MaxValueValidator
from django.db import models

from mlplatform.tenancy.models import TenantModel


class Rhythm(models.TextChoices):
    """Of what a scheduled report tells: the stretch that ended last, as the tenant's calendar has it."""

    WEEKLY = "weekly", "Every week, from Monday to Sunday"
    MONTHLY = "monthly", "Every month"
    QUARTERLY = "quarterly", "Every quarter"


class ReportFiles(models.TextChoices):
    """What is attached."""

    PDF = "pdf", "PDF"
    HTML = "html", "HTML file"
    BOTH = "both", "PDF and HTML file"


class ReportSchedule(TenantModel):
    """Who gets which report how often, and how far that has come.

    ``next_try_at`` is when it is due next, or tried again after ``attempts`` that failed; ``settled`` is the
    last day of the period that was sent, or given up, last. ``reached`` are the addresses that have the
    present period's report already.
    """

    model_link = "model"

    name = models.CharField(max_length=100)
    model = models.ForeignKey(
        "registry.RegisteredModel",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="report_schedules",
        help_text="None: of the whole tenant.",
    )
    rhythm = models.CharField(max_length=10, choices=Rhythm, default=Rhythm.MONTHLY)
    hour = models.PositiveSmallIntegerField(
        default=7,
        validators=[MaxValueValidator(23)],
        help_text="At which hour of the first day after it, in the tenant's time zone.",
    )
    files = models.CharField(max_length=10, choices=ReportFiles, default=ReportFiles.PDF)
    recipients = models.JSONField(default=list, help_text="Addresses of members; empty for administrators.")
    enabled = models.BooleanField(default=True)
    settled = models.DateField(null=True, editable=False)
    next_try_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    reached = models.JSONField(default=list, editable=False)
    last_sent_at = models.DateTimeField(null=True, editable=False)
    last_error = models.CharField(max_length=500, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=200, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"],
                name="report_schedule_name_once",
                violation_error_message="A report schedule of this name exists already.",
            )
        ]
        indexes = [models.Index(fields=["tenant", "enabled", "next_try_at"])]

    def __str__(self) -> str:
        return self.name

    def arrive(self) -> None:
        """Come switched off: whoever moved the tenant says who is to be written to from here."""
        self.enabled, self.next_try_at = False, None
