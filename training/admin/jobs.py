"""Training jobs: started by a form, watched live, cancelled."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.contrib.filters.admin import RelatedDropdownFilter

from mlplatform.admin.base import cell
from mlplatform.admin.commands import FormPage
from mlplatform.admin.forms import bound
from mlplatform.admin.links import add_url
from mlplatform.admin.parts import Badge, Button, Facts, Fragment, Section
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability, allowed_models
from registry.models import RegisteredModel
from training.admin import cloning
from training.admin.automl_choice import chosen_automl
from training.admin.comparing import compare_button
from training.admin.job_commands import COMMANDS, OF_THE_LIST, JobCommands
from training.admin.job_forms import JobForm, ModelChoiceForm
from training.admin.job_progress import progress_context
from training.admin.measuring import chosen_measures
from training.admin.options import AUTOML, chosen_options
from training.admin.reproduction import verdict_of
from training.admin.suggestions import suggestions_table
from training.admin.wizard import checks_table
from training.admin.words import (
    findings_table,
    progress_meter,
    shown_limits,
    shown_workers,
    state_badge,
    took,
)
from training.models import TrainingJob
from training.models.job import Priority
from training.pages.evaluation import evaluation_sections
from training.pages.settings import shown_settings
from training.tasks import submit_job


@admin.register(TrainingJob, site=console)
class TrainingJobAdmin(JobCommands):
    """Runs of training."""

    can_add = of_a_model = True
    add_title = "Train"
    list_display = [
        "name",
        "state_shown",
        "progress_shown",
        cell("model", "Model"),
        cell("dataset", "Data"),
        "trigger",
        "time",
        cell("created_at", "Created"),
    ]
    list_select_related = ["model", "dataset"]
    list_filter = ["state", ("model", RelatedDropdownFilter), "priority", "trigger", "created_at"]
    search_fields = ["model__name", "dataset__name", "error", "created_by"]
    empty_title = "No training yet"
    empty_hint = "Choose a model and data; several algorithms compete, and the best becomes a new version."
    actions = ["compare_selected", "cancel_selected", "retry_selected"]
    commands = COMMANDS
    list_commands = OF_THE_LIST

    @admin.display(description="Job", ordering="pk")
    def name(self, job: TrainingJob) -> str:
        """The job's number."""
        return f"Job {job.pk}"

    @admin.display(description="State", ordering="state")
    def state_shown(self, job: TrainingJob) -> str:
        """The job's state."""
        return show(state_badge(job))

    @admin.display(description="Progress", ordering="progress")
    def progress_shown(self, job: TrainingJob) -> str:
        """How far it is."""
        return show(progress_meter(job))

    @admin.display(description="Took")
    def time(self, job: TrainingJob) -> str:
        """How long it ran."""
        return show(took(job))

    def sections(self, request: HttpRequest, row: TrainingJob) -> Iterable[Section | None]:
        """Return the live part, then the job's record."""
        yield Fragment("Progress", "admin/parts/job_progress.html", progress_context(row))
        yield Facts(
            "Job",
            [
                ("Model", row.model),
                ("Data", row.dataset),
                *_source(row),
                ("Version", row.version),
                *_reproduction(row),
                ("Started by", row.get_trigger_display()),
                ("Asked by", row.created_by),
                ("Created", row.created_at),
                ("Started", row.started_at),
                ("Finished", row.finished_at),
                ("Priority", row.get_priority_display()),
                ("Attempt", row.attempt or None),
            ],
        )
        yield Facts(
            "Settings",
            [
                *shown_settings(row.config),
                ("Limits", shown_limits(row)),
                ("Workers", shown_workers(row)),
            ],
        )
        if row.version is not None:
            yield from evaluation_sections(row.version)
        if row.findings:
            yield findings_table(row)
        if row.traceback:
            yield Fragment("Traceback", "admin/parts/text.html", {"text": row.traceback})

    def buttons(self, request: HttpRequest, row: TrainingJob) -> Iterable[Button]:
        """Offer a comparison with others, and another job that differs in something."""
        address = add_url("training.trainingjob", model=row.model_id, like=row.pk)
        yield compare_button(row)
        yield Button("Clone with changes", address, "content_copy", Capability.TRAIN)

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Ask for the model, then for data and algorithms, and submit the job."""
        model = _model(request)
        return self._choose_model(request) if model is None else self._configure(request, model)

    def progress(self, request: HttpRequest, job: TrainingJob) -> HttpResponse:
        """Return progress, leaderboard and log alone; once the job has ended, tell the page to load again."""
        response = TemplateResponse(
            request, "admin/parts/job_progress.html", {"section": {"context": progress_context(job)}}
        )
        if not job.is_active:
            response["HX-Refresh"] = "true"
        return response

    def _choose_model(self, request: HttpRequest) -> HttpResponse:
        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            kept = {name: value for name, value in request.GET.items() if name in {"dataset", "source"}}
            return HttpResponseRedirect(add_url("training.trainingjob", model=data["model"].pk, **kept))

        form = bound(ModelChoiceForm, request, models=allowed_models(request.user, Capability.TRAIN))
        page = FormPage("Train which model?", "Next", intro="No model yet? Register one first, under Models.")
        return self.form_page(request, page=page, form=form, submit=submit)

    def _configure(self, request: HttpRequest, model: RegisteredModel) -> HttpResponse:
        like = cloning.like(request, model)

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            chosen = {
                "algorithms": cloning.algorithms(data["algorithms"], like),
                "folds": data["folds"],
                "seed": data["seed"],
                "search": _search(data),
                "automl": _automl(data),
                "workers": data["workers"] or 1,
                **chosen_options(data),
                **chosen_measures(data),
            }
            config = cloning.merged(cloning.kept(like), chosen)
            note = f"Like job {like.pk}, with changes." if like else ""
            job = submit_job(
                model=model,
                dataset=data["dataset"],
                source=data["source"],
                on_source_failure=data["on_source_failure"],
                config=config,
                priority=data["priority"] or Priority.NORMAL,
                by=by,
                note=note,
            )
            return self.done(request, "The job is queued; this page follows it.", job)

        form = bound(JobForm, request, model=model, initial=cloning.shown_first(like))
        chosen = request.GET.get("dataset", "")
        shown = (checks_table(model, chosen), suggestions_table(model, chosen))
        page = FormPage(
            f"Train {model}",
            "Start training",
            intro=f"The model {model.purpose}.",
            sections=[section for section in shown if section],
        )
        return self.form_page(request, page=page, form=form, submit=submit)


def _source(job: TrainingJob) -> list[tuple[str, Any]]:
    if job.source is None:
        return []
    rows: list[tuple[str, Any]] = [
        ("Source", job.source),
        ("Where it does not answer", job.get_on_source_failure_display()),
    ]
    if job.source_note:
        rows += [("Not fresh", Badge("Last good snapshot", "warn")), ("Why", job.source_note)]
    return rows


def _reproduction(job: TrainingJob) -> list[tuple[str, Any]]:
    if job.reproduces is None:
        return []
    badge, words = verdict_of(job)
    return [("Builds again", job.reproduces), ("Verdict", badge), ("In words", words)]


def _search(data: Mapping[str, Any]) -> dict[str, Any] | None:
    if data["search"] in {"", AUTOML}:
        return None
    budget = {"trials": data["trials"], "seconds": data["minutes"] and 60 * data["minutes"]}
    return {"method": data["search"], **{name: value for name, value in budget.items() if value}}


def _automl(data: Mapping[str, Any]) -> dict[str, Any] | None:
    if data["search"] != AUTOML:
        return None
    return chosen_automl(data)


def _model(request: HttpRequest) -> RegisteredModel | None:
    wanted = request.GET.get("model", "")
    offered: QuerySet[RegisteredModel] = allowed_models(request.user, Capability.TRAIN)
    return offered.filter(pk=wanted).first() if wanted.isdecimal() else None
