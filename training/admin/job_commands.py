"""What can be done with jobs in the console beside starting one."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.extensions import model_actions, model_commands
from mlplatform.admin.forms import ConsoleForm, bound
from mlplatform.admin.links import list_url, page_url
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability, allowed_models
from registry.models import RegisteredModel
from training.admin.comparing import compare_jobs_page, compare_selected
from training.models import JobState, TrainingJob
from training.models.job import Priority
from training.services.jobs import request_cancel, set_priority
from training.services.repeating import Retraining
from training.tasks import submit_retraining, submit_retry


class PriorityForm(ConsoleForm):
    """How urgent a job is."""

    priority = forms.ChoiceField(
        choices=Priority.choices,
        initial=Priority.NORMAL,
        help_text="Among your own waiting jobs; tenants take turns whatever it says.",
    )


def _never(job: TrainingJob) -> bool:
    return False


COMMANDS = (
    Command(
        "cancel",
        "Cancel",
        Capability.TRAIN,
        "cancel",
        "danger",
        post=True,
        available=lambda job: job.is_active and not job.cancel_requested,
    ),
    Command(
        "retry",
        "Run again",
        Capability.TRAIN,
        "replay",
        post=True,
        available=lambda job: not job.is_active,
    ),
    Command(
        "priority",
        "Priority",
        Capability.TRAIN,
        "low_priority",
        available=lambda job: job.state == JobState.QUEUED,
    ),
    Command("progress", "Progress", Capability.VIEW, "refresh", available=_never),
)
OF_THE_LIST = (
    Command("compare", "Compare", Capability.VIEW, "compare_arrows"),
    Command("train-all", "Train all models again", Capability.TRAIN, "refresh"),
)


class JobCommands(PlatformModelAdmin):
    """The commands on one job, on selected ones, and on all models."""

    def cancel(self, request: HttpRequest, job: TrainingJob) -> HttpResponse:
        """Ask the job to stop."""
        request_cancel(job=job, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, "The job stops.", job)

    def retry(self, request: HttpRequest, job: TrainingJob) -> HttpResponse:
        """Run an ended job anew."""
        again = submit_retry(job=job, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, f"The same as job {job.pk} is queued; this page follows it.", again)

    def priority(self, request: HttpRequest, job: TrainingJob) -> HttpResponse:
        """Let a waiting job come sooner or later."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            set_priority(job=job, priority=data["priority"], by=by)
            return self.done(request, "The job's priority was changed.", job)

        form = bound(PriorityForm, request, initial={"priority": job.priority})
        page = FormPage(f"How urgent is job {job.pk}?", "Save")
        return self.form_page(request, page=page, form=form, submit=submit, row=job)

    def train_all(self, request: HttpRequest) -> HttpResponse:
        """Retrain every model of the tenant that the person may train."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            models = allowed_models(request.user, Capability.TRAIN).order_by("name")
            report(request, submit_retraining(models=list(models), by=by, priority=data["priority"]))
            return self.done(request, "All models were looked at.", list_url("training.trainingjob"))

        page = FormPage(
            "Train all models again?",
            "Train all",
            intro="Each is trained on its newest version's data and the outcomes since, with the settings "
            "used last. What runs stays until you promote a new version.",
        )
        form = bound(PriorityForm, request, initial={"priority": Priority.LOW})
        return self.form_page(request, page=page, form=form, submit=submit)

    def compare(self, request: HttpRequest) -> HttpResponse:
        """Put jobs side by side."""
        return compare_jobs_page(request)

    @admin.action(description="Compare", permissions=["view"])
    def compare_selected(self, request: HttpRequest, jobs: QuerySet[TrainingJob]) -> HttpResponse | None:
        """Put the selected jobs side by side."""
        return compare_selected(self, request, jobs)

    @admin.action(description="Cancel", permissions=["train"])
    def cancel_selected(self, request: HttpRequest, jobs: QuerySet[TrainingJob]) -> None:
        """Cancel the selected jobs."""
        self.for_each(
            request, jobs, Capability.TRAIN, lambda job, by: request_cancel(job=job, by=by), "jobs stop"
        )

    @admin.action(description="Run again", permissions=["train"])
    def retry_selected(self, request: HttpRequest, jobs: QuerySet[TrainingJob]) -> None:
        """Run the selected ended jobs anew."""
        self.for_each(
            request, jobs, Capability.TRAIN, lambda job, by: submit_retry(job=job, by=by), "jobs queued"
        )


def report(request: HttpRequest, done: Sequence[Retraining]) -> None:
    """Say which models are trained again, and why others are not."""
    queued = [one.model.name for one in done if one.job is not None]
    if queued:
        messages.success(request, f"Queued: {', '.join(queued)}.")
    for one in done:
        if one.job is None:
            messages.warning(request, f"{one.model.name}: {one.reason}")


def retrain(request: HttpRequest, model: RegisteredModel) -> HttpResponse:
    """Train the model again on what was learnt since."""
    [done] = submit_retraining(models=[model], by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
    if done.job is None:
        messages.error(request, done.reason)
        return HttpResponseRedirect(page_url(model))
    messages.success(request, "The job is queued; this page follows it.")
    return HttpResponseRedirect(page_url(done.job))


@admin.action(description="Train again", permissions=["train"])
def retrain_selected(
    page: PlatformModelAdmin, request: HttpRequest, models: QuerySet[RegisteredModel]
) -> None:
    """Train the selected models again; one that the person may not train is refused."""

    def act(model: RegisteredModel, by: Actor) -> None:
        report(request, submit_retraining(models=[model], by=by))

    page.for_each(request, models, Capability.TRAIN, act, "models were looked at")


model_commands.append(Command("retrain", "Train again", Capability.TRAIN, "refresh", post=True, view=retrain))
model_actions["retrain_selected"] = retrain_selected
