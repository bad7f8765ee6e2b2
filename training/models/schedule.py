"""Retraining schedules that people edit and Celery beat fires."""

from django.db import models

from mlplatform.tenancy.models import TenantModel
from training.models.source import OnSourceFailure


class ScheduleKind(models.TextChoices):
    """How the times are given."""

    CRON = "cron", "Cron line"
    INTERVAL = "interval", "Every so often"


class IntervalUnit(models.TextChoices):
    """Units of an interval."""

    MINUTES = "minutes", "minutes"
    HOURS = "hours", "hours"
    DAYS = "days", "days"


class RetrainingSchedule(TenantModel):
    """When to retrain a model; it owns one private PeriodicTask, whose arguments nobody can choose."""

    model_link = "model"

    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.CASCADE, related_name="schedules")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=ScheduleKind, default=ScheduleKind.CRON)
    cron = models.CharField(
        "cron line",
        max_length=100,
        blank=True,
        help_text="minute hour day-of-month month day-of-week: 0 3 * * 1",
    )
    every = models.PositiveIntegerField(null=True, blank=True)
    unit = models.CharField(max_length=10, choices=IntervalUnit, blank=True)
    timezone = models.CharField(
        "time zone", max_length=64, default="UTC", help_text="For example Europe/Berlin."
    )
    source = models.ForeignKey(
        "training.DataSource",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="schedules",
        help_text="Where new rows come from; without one, from the model's own outcomes.",
    )
    on_source_failure = models.CharField(max_length=10, choices=OnSourceFailure, default=OnSourceFailure.FAIL)
    enabled = models.BooleanField(default=True)
    periodic_task = models.OneToOneField(
        "django_celery_beat.PeriodicTask",
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    last_fired_at = models.DateTimeField(null=True, editable=False)
    last_result = models.CharField(max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=200, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"],
                name="schedule_name_once",
                violation_error_message="A schedule of this name exists already.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def leave(self) -> None:
        """Take the scheduler's private rows along."""
        if self.periodic_task is not None:
            times = self.periodic_task.scheduler
            self.periodic_task.delete()
            times.delete()

    def arrive(self) -> None:
        """Come paused: whoever moved the tenant says when it is to train here."""
        self.enabled = False
