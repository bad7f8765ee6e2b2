"""Batch jobs: started by a form, watched live, cancelled, their answers fetched."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.contrib.filters.admin import RelatedDropdownFilter

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.extensions import model_buttons
from mlplatform.admin.forms import bound
from mlplatform.admin.links import add_url
from mlplatform.admin.parts import Button, Facts, Fragment, Section
from mlplatform.admin.render import show, size
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.downloads import as_download
from mlplatform.tenancy.permissions import Capability, allowed_models
from registry.models import RegisteredModel
from training.admin.batch_forms import BatchForm
from training.admin.batch_words import batch_badge, batch_context, batch_meter, took
from training.admin.job_forms import ModelChoiceForm
from training.models import BatchJob
from training.services.batch_options import parsed_options
from training.services.batches import cancel_batch, fetch_answers, fetch_errors
from training.tasks import submit_batch


def _never(job: BatchJob) -> bool:
    return False


COMMANDS = (
    Command(
        "download",
        "Download the answers",
        Capability.PREDICT,
        "download",
        "primary",
        available=lambda job: bool(job.output_file),
    ),
    Command(
        "errors",
        "Download what did not fit",
        Capability.PREDICT,
        "report",
        available=lambda job: bool(job.errors_file),
    ),
    Command(
        "cancel",
        "Cancel",
        Capability.PREDICT,
        "cancel",
        "danger",
        post=True,
        available=lambda job: job.is_active,
    ),
    Command("progress", "Progress", Capability.VIEW, "refresh", available=_never),
)


@admin.register(BatchJob, site=console)
class BatchJobAdmin(PlatformModelAdmin):
    """Files of answers to many rows at once."""

    can_add = of_a_model = True
    add_title = "Answer a file"
    list_display = [
        "name",
        "state_shown",
        "progress_shown",
        cell("model", "Model"),
        cell("version", "Version", "version__number"),
        "input_name",
        cell("rows", "Rows"),
        "time",
        cell("created_at", "Created"),
    ]
    list_select_related = ["model", "version", "version__model"]
    list_filter = ["state", ("model", RelatedDropdownFilter), "form", "created_at"]
    search_fields = ["model__name", "input_name", "error", "created_by"]
    empty_title = "No batch yet"
    empty_hint = "Choose a model and a file of rows; the workers answer all of them into another file."
    commands = COMMANDS

    @admin.display(description="Batch", ordering="pk")
    def name(self, job: BatchJob) -> str:
        """The job's number."""
        return f"Batch {job.pk}"

    @admin.display(description="State", ordering="state")
    def state_shown(self, job: BatchJob) -> str:
        """The job's state."""
        return show(batch_badge(job))

    @admin.display(description="Progress")
    def progress_shown(self, job: BatchJob) -> str:
        """How far it is."""
        return show(batch_meter(job))

    @admin.display(description="Took")
    def time(self, job: BatchJob) -> str:
        """How long it ran."""
        return show(took(job))

    def sections(self, request: HttpRequest, row: BatchJob) -> Iterable[Section | None]:
        """Return the live part, then the job's record."""
        options = row.options
        yield Fragment("Progress", "admin/parts/batch_progress.html", batch_context(row))
        yield Facts(
            "Batch",
            [
                ("Model", row.model),
                ("Answered by", row.version),
                ("Asked for", row.asked),
                ("Input", row.dataset or row.source or row.input_name),
                ("Size of the input", size(row.input_bytes) if row.input_bytes else None),
                ("Asked by", row.created_by),
                ("Created", row.created_at),
                ("Started", row.started_at),
                ("Finished", row.finished_at),
                ("Files are deleted", row.expires_at),
            ],
        )
        yield Facts(
            "File of answers",
            [
                ("Format", row.get_form_display()),
                ("Size", size(row.output_bytes) if row.output_bytes else None),
                ("SHA-256", row.output_hash),
                ("Columns kept", _kept(options)),
                ("Key column", options.get("key")),
                ("Probabilities", options.get("probabilities", True)),
                ("Reasons for each answer", options.get("reasons") or None),
                ("Intervals hold the truth", _share(options.get("coverage"))),
                ("Where a row does not fit", row.get_on_bad_row_display()),
                ("In the prediction log", options.get("log", False)),
            ],
        )
        if row.traceback:
            yield Fragment("Traceback", "admin/parts/text.html", {"text": row.traceback})

    def buttons(self, request: HttpRequest, row: BatchJob) -> Iterable[Button]:
        """Offer another batch of the same model."""
        address = add_url("training.batchjob", model=row.model_id)
        yield Button("Answer another file", address, "playlist_add", Capability.PREDICT)

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Ask for the model, then for the rows, and submit the batch."""
        models = allowed_models(request.user, Capability.PREDICT)
        wanted = request.GET.get("model", "")
        model = models.filter(pk=wanted).first() if wanted.isdecimal() else None
        if model is not None:
            return self._configure(request, model)

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            return HttpResponseRedirect(add_url("training.batchjob", model=data["model"].pk))

        page = FormPage(
            "Answer a file with which model?", "Next", intro="It needs a version that is deployed."
        )
        form = bound(ModelChoiceForm, request, models=models)
        form.fields["model"].help_text = ""
        return self.form_page(request, page=page, form=form, submit=submit)

    def _configure(self, request: HttpRequest, model: RegisteredModel) -> HttpResponse:
        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            upload, version = data["file"], data["version"]
            job = submit_batch(
                model=model,
                by=by,
                options=parsed_options(
                    keep=data["keep"],
                    keep_all=data["keep_all"],
                    key=data["key"] or None,
                    probabilities=data["probabilities"],
                    reasons=data["reasons"],
                    coverage=data["coverage"],
                    log=data["log"],
                ),
                file=upload or None,
                filename=upload.name if upload else "",
                dataset=data.get("dataset"),
                source=data.get("source"),
                number=version.number if version else None,
                form=data["form"],
                on_bad_row=data["on_bad_row"],
            )
            return self.done(request, "The batch is queued; this page follows it.", job)

        may_use_data = self.may(request, Capability.DATA)
        form = bound(BatchForm, request, model=model, may_use_data=may_use_data)
        page = FormPage(
            f"Answer many rows with {model}",
            "Start the batch",
            intro="Every row gets one line in the file of answers, in the same order.",
        )
        return self.form_page(request, page=page, form=form, submit=submit)

    def download(self, request: HttpRequest, job: BatchJob) -> HttpResponseBase:
        """Send the file of answers."""
        return as_download(fetch_answers(job=job, by=Actor.of(request.user)))  # type: ignore[arg-type]  # signed in

    def errors(self, request: HttpRequest, job: BatchJob) -> HttpResponseBase:
        """Send the file that says which rows did not fit, and why."""
        return as_download(fetch_errors(job=job, by=Actor.of(request.user)))  # type: ignore[arg-type]  # signed in

    def cancel(self, request: HttpRequest, job: BatchJob) -> HttpResponse:
        """End the batch."""
        cancel_batch(job=job, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, "The batch is cancelled; nothing of it is kept.", job)

    def progress(self, request: HttpRequest, job: BatchJob) -> HttpResponse:
        """Return progress and parts alone; once the job has ended, tell the page to load again."""
        response = TemplateResponse(
            request, "admin/parts/batch_progress.html", {"section": {"context": batch_context(job)}}
        )
        if not job.is_active:
            response["HX-Refresh"] = "true"
        return response


@model_buttons.at(30)
def batch_button(model: RegisteredModel) -> Button:
    """Offer to answer a file."""
    address = add_url("training.batchjob", model=model.pk)
    return Button("Answer a file", address, "table_view", Capability.PREDICT)


def _kept(options: Mapping[str, Any]) -> Any:
    return "all" if options.get("keep_all") else options.get("keep") or None


def _share(coverage: float | None) -> str | None:
    return None if coverage is None else f"{coverage:.0%} of the time"
