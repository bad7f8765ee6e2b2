"""Training jobs: started by a form, watched live, cancelled."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.contrib.filters.admin import RelatedDropdownFilter

from mlplatform.admin.base import cell
from mlplatform.admin.commands import FormPage
from mlplatform.admin.forms import ConsoleForm, bound
from mlplatform.admin.links import add_url, command_url
from mlplatform.admin.parts import Badge, Button, Facts, Fragment, Section
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability, allowed_models
from registry.models import Dataset, RegisteredModel
from training.admin import cloning
from training.admin.job_commands import COMMANDS, TRAIN_ALL, JobCommands
from training.admin.options import (
    AUTOML,
    SEARCHES,
    OptionsForm,
    chosen_options,
    shown_options,
    shown_search,
)
from training.admin.reproduction import verdict_of
from training.admin.source_choice import SourceChoiceForm
from training.admin.suggestions import suggestions_table
from training.admin.words import (
    findings_table,
    leaderboard,
    progress_meter,
    shown_limits,
    state_badge,
    time_left,
    title_of,
    took,
)
from training.algorithms import algorithms_for
from training.models import TrainingJob
from training.models.job import Priority
from training.pages.evaluation import evaluation_sections
from training.tasks import submit_job

LOG_LINES = 500


class ModelChoiceForm(ConsoleForm):
    """The first step: which model."""

    model: "forms.ModelChoiceField[RegisteredModel]" = forms.ModelChoiceField(
        queryset=None, help_text="Its kind of problem decides which algorithms fit."
    )

    def __init__(self, *args: Any, models: QuerySet[RegisteredModel], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["model"].queryset = models  # type: ignore[attr-defined]  # a model choice


class JobForm(OptionsForm, SourceChoiceForm):
    """The second step: on which data, with what."""

    dataset: "forms.ModelChoiceField[Dataset]" = forms.ModelChoiceField(
        queryset=None, required=False, help_text="Either this or a source."
    )
    algorithms = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Each is cross-validated; the best is trained on all rows. None chosen: those that suit.",
    )
    folds = forms.IntegerField(
        min_value=2, max_value=20, initial=5, help_text="Of the cross-validation, 2 to 20."
    )
    search = forms.ChoiceField(
        choices=[
            (AUTOML, "Find the best by itself (AutoML)"),
            ("", "Try each algorithm with its defaults"),
            *SEARCHES,
        ],
        required=False,
        label="How",
        help_text="AutoML tries algorithms, parameters and preparations of the inputs together, and lets the "
        "best answer together. The other searches vary the parameters of the algorithms chosen below.",
    )
    trials = forms.IntegerField(
        min_value=1,
        max_value=1000,
        initial=40,
        required=False,
        help_text="A search makes at most so many trials.",
    )
    minutes = forms.IntegerField(
        min_value=1,
        max_value=1440,
        required=False,
        help_text="AutoML is done after so many (1 where left empty); a search begins no trial after them.",
    )
    seed = forms.IntegerField(
        min_value=0, initial=0, help_text="The same seed on the same data gives the same model."
    )

    priority = forms.ChoiceField(
        choices=Priority.choices,
        initial=Priority.NORMAL,
        required=False,
        help_text="Among your own waiting jobs; tenants take turns whatever it says.",
    )

    def __init__(self, *args: Any, model: RegisteredModel, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fitting = algorithms_for(model.problem_type)
        offered: Any = self.fields["algorithms"]
        offered.choices = [(one.key, f"{one.title}: {one.advice}") for one in fitting]
        self.order_fields(
            [
                "dataset",
                "source",
                "on_source_failure",
                "search",
                "minutes",
                "algorithms",
                "folds",
                "seed",
                "trials",
            ]
        )
        self.fields["dataset"].queryset = Dataset.objects.defer("profile", "columns")  # type: ignore[attr-defined]  # a model choice


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
    actions = ["cancel_selected", "retry_selected"]
    commands = COMMANDS
    list_commands = (TRAIN_ALL,)

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
                ("Source", row.source),
                ("Where it does not answer", row.get_on_source_failure_display() if row.source else None),
                ("Not fresh", Badge("Last good snapshot", "warn") if row.source_note else None),
                ("Why", row.source_note or None),
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
                ("Algorithms", [title_of(one["key"]) for one in row.config.get("algorithms", [])]),
                ("How", shown_search(row.config)),
                *shown_options(row.config),
                ("Folds", row.config.get("folds")),
                ("Seed", row.config.get("seed")),
                ("Limits", shown_limits(row)),
                ("Hold-out", f"{row.config.get('holdout', 0.2):.0%} of the rows"),
            ],
        )
        if row.version is not None:
            yield from evaluation_sections(row.version)
        if row.findings:
            yield findings_table(row)
        if row.traceback:
            yield Fragment("Traceback", "admin/parts/text.html", {"text": row.traceback})

    def buttons(self, request: HttpRequest, row: TrainingJob) -> Iterable[Button]:
        """Offer another job that differs in something."""
        address = add_url("training.trainingjob", model=row.model_id, like=row.pk)
        return [Button("Clone with changes", address, "content_copy", Capability.TRAIN)]

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
                **chosen_options(data),
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
        shown = suggestions_table(model, request.GET.get("dataset", ""))
        page = FormPage(
            f"Train {model}",
            "Start training",
            intro=f"The model {model.purpose}.",
            sections=[shown] if shown else [],
        )
        return self.form_page(request, page=page, form=form, submit=submit)


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
    return {"seconds": 60 * data["minutes"]} if data["minutes"] else {}


def progress_context(job: TrainingJob) -> dict[str, Any]:
    """Return what the live part of the page shows."""
    return {
        "job": job,
        "badge": state_badge(job),
        "meter": progress_meter(job),
        "took": took(job),
        "left": time_left(job),
        "address": command_url(job, "progress"),
        "parts": [leaderboard(job), log_of(job)],
    }


def log_of(job: TrainingJob) -> Fragment:
    """Return the newest lines of the job's log, oldest first."""
    lines = list(job.log.order_by("-pk")[:LOG_LINES])[::-1]
    text = "\n".join(f"{line.at:%H:%M:%S}  {line.level:<7} {line.message}" for line in lines)
    return Fragment("Log", "admin/parts/text.html", {"text": text or "Nothing yet."}, note="Times in UTC.")


def _model(request: HttpRequest) -> RegisteredModel | None:
    wanted = request.GET.get("model", "")
    offered: QuerySet[RegisteredModel] = allowed_models(request.user, Capability.TRAIN)
    return offered.filter(pk=wanted).first() if wanted.isdecimal() else None
