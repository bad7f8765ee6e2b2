"""What training adds to a model's page and to the dashboard."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone

from mlplatform.admin.extensions import (
    attention,
    first_steps,
    model_buttons,
    model_columns,
    model_sections,
    model_steps,
)
from mlplatform.admin.links import add_url, list_url, page_url
from mlplatform.admin.parts import Button, FirstStep, Link, Notice, Section, Step, Table
from mlplatform.admin.render import ago
from mlplatform.tenancy.permissions import Capability
from registry.models import Dataset, RegisteredModel
from training.admin.schedules import schedule_badge, times_of
from training.admin.words import STATE_TONES, leaderboard
from training.models import JobState, RetrainingSchedule, TrainingJob
from training.services.schedules import next_runs

RECENT = timedelta(days=3)


@model_steps.at(10)
def data_step(model: RegisteredModel) -> Step:
    """Return the datasets that the model was trained on."""
    used = Dataset.objects.filter(jobs__model=model).distinct()
    newest = used.only("name", "created_at").order_by("-created_at").first()
    return Step(
        "Data",
        "database",
        used.count(),
        newest and newest.name,
        list_url("registry.dataset"),
        "info" if newest else "muted",
    )


@model_steps.at(20)
def jobs_step(model: RegisteredModel) -> Step:
    """Return the training jobs."""
    rows = TrainingJob.objects.filter(model=model)
    newest = rows.only("state", "created_at").first()
    return Step(
        "Training jobs",
        "model_training",
        rows.count(),
        f"{newest.get_state_display().lower()}, {ago(newest.created_at)}" if newest else None,
        list_url("training.trainingjob", model__id__exact=model.pk),
        STATE_TONES[newest.state] if newest else "muted",
    )


@model_sections.at(10)
def newest_leaderboard(model: RegisteredModel) -> Section:
    """Return what the newest job with results tried."""
    job = TrainingJob.objects.filter(model=model, trials__isnull=False).select_related("model").first()
    if job is None:
        return Table("Leaderboard", [], [], empty="No training yet. Train the model to compare algorithms.")
    table = leaderboard(job, f"Leaderboard of job {job.pk}")
    return Table(
        table.title, table.columns, table.rows, table.empty, table.note, Link("The job", page_url(job))
    )


@model_sections.at(60)
def schedules_of(model: RegisteredModel) -> Section | None:
    """Return the model's schedules."""
    rows = RetrainingSchedule.objects.filter(model=model)
    return Table(
        "Retraining schedules",
        ["Name", "State", "Times", "Next run", "Last result"],
        [
            [row, schedule_badge(row), times_of(row), next(iter(next_runs(row, 1)), None), row.last_result]
            for row in rows
        ],
        empty="None. A schedule retrains the model at fixed times.",
        more=Link("New schedule", add_url("training.retrainingschedule", model=model.pk)),
    )


@model_buttons.at(10)
def train_button(model: RegisteredModel) -> Button:
    """Return the way to a new training job."""
    address = add_url("training.trainingjob", model=model.pk)
    return Button("Train", address, "model_training", Capability.TRAIN, "primary")


@attention.at(20)
def unsuccessful_jobs() -> Iterable[Notice]:
    """Yield jobs that failed or broke in the last days, unless a later one of the model succeeded."""
    since = timezone.now() - RECENT
    ended = TrainingJob.objects.filter(state__in=[JobState.FAILED, JobState.ERRORED], finished_at__gte=since)
    later = TrainingJob.objects.filter(
        model=OuterRef("model"), pk__gt=OuterRef("pk"), state=JobState.SUCCEEDED
    )
    for job in ended.exclude(Exists(later)).select_related("model")[:10]:
        title = f"Job {job.pk} of {job.model} {job.get_state_display().lower()}"
        yield Notice("bad", title, job.error[:200], page_url(job))


@attention.at(25)
def schedules_in_trouble() -> Iterable[Notice]:
    """Yield schedules whose last run did not start a job."""
    for schedule in RetrainingSchedule.objects.filter(enabled=True).exclude(last_result=""):
        if not schedule.last_result.startswith("Started"):
            yield Notice(
                "warn", f"Schedule {schedule} did not retrain", schedule.last_result, page_url(schedule)
            )


@model_columns.at(80, "Next retraining")
def next_cells(models: Sequence[RegisteredModel]) -> Mapping[int, Any]:
    """Return the next time at which a schedule retrains each model."""
    found: dict[int, Any] = {}
    schedules = RetrainingSchedule.objects.filter(model__in=models, enabled=True)
    for schedule in schedules.select_related("periodic_task__crontab", "periodic_task__interval"):
        moment = next(iter(next_runs(schedule, 1)), None)
        if moment and (schedule.model_id not in found or moment < found[schedule.model_id]):
            found[schedule.model_id] = moment
    return {model.pk: found.get(model.pk, "no schedule") for model in models}


@first_steps.at(10)
def import_step() -> FirstStep:
    """Return the step that imports data."""
    return FirstStep(
        "Import data",
        "Upload a CSV, Parquet, JSON Lines or Excel file with the column to predict.",
        add_url("registry.dataset"),
        Dataset.objects.exists(),
        Capability.DATA,
    )


@first_steps.at(30)
def train_step() -> FirstStep:
    """Return the step that trains."""
    return FirstStep(
        "Train it",
        "Several algorithms compete on your data; the best becomes a version.",
        add_url("training.trainingjob"),
        TrainingJob.objects.filter(state=JobState.SUCCEEDED).exists(),
        Capability.TRAIN,
    )
