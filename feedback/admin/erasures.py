"""Personal data: what is held about a person, taking it out, erasing it."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from feedback.models import SubjectErasure
from feedback.services.subjects import Holdings, export_subject, holdings
from feedback.tasks import submit_erasure
from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.forms import ConsoleForm, bound
from mlplatform.admin.links import list_url
from mlplatform.admin.parts import Badge, Facts, Section, Table
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.downloads import as_download
from mlplatform.tenancy.permissions import Capability
from registry.models import RegisteredModel

ERASE_INTRO = (
    "Removes the person's predictions and outcomes for good. Figures over many rows stay. "
    "Look first: without the tick, only the counts are shown."
)


class SubjectForm(ConsoleForm):
    """Whom it concerns."""

    entity_key = forms.CharField(
        max_length=200,
        label="The person's key",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="As your programs send it with predictions (entity_keys), or its pseudonym.",
    )
    model = forms.ModelChoiceField(
        queryset=RegisteredModel.objects.all(), required=False, empty_label="All models"
    )


class EraseForm(SubjectForm):
    """The same, and whether it is meant."""

    confirm = forms.BooleanField(required=False, label="Erase for good; this cannot be undone")


def progress(erasure: SubjectErasure) -> Badge:
    """Return whether the erasure is done."""
    return Badge("Done", "good") if erasure.finished_at else Badge("On its way", "warn")


def trace_tables(traces: Mapping[str, Any]) -> list[Section]:
    """Return where the person's rows went beside the log."""
    if not traces:
        return []
    learnt = [
        [one["name"], f"dataset {one['dataset']}", ", ".join(one["versions"]) or "none"]
        for one in traces["learnt"]
    ]
    named = [
        [one["name"], f"dataset {one['dataset']}", one["column"], one["rows"]] for one in traces["named"]
    ]
    return [
        Table(
            "Data frozen from the log with this person's rows",
            ["Data", "Number", "Versions trained on it"],
            learnt,
            empty="None.",
            note=traces["untraceable"],
        ),
        Table(
            "Imported data that names the person",
            ["Data", "Number", "Column", "Rows"],
            named,
            empty="None of the columns that are marked personal holds the key.",
            note="Frozen data is not changed: import it anew without these rows, and train on that.",
        ),
    ]


def holdings_tables(found: Holdings) -> list[Section]:
    """Return what is held about the person."""
    rows = [[one["model"], one["predictions"], one["outcomes"]] for one in found.models]
    traces = {"learnt": found.traces.learnt, "named": found.traces.named}
    return [
        Table(
            "In the log",
            ["Model", "Predictions", "Outcomes"],
            rows,
            empty="Nothing is held under this key.",
            note=f"Pseudonym: {found.entity}. Outcomes that found no prediction yet: {found.waiting:,}.",
        ),
        *trace_tables({**traces, "untraceable": found.traces.untraceable}),
    ]


@admin.register(SubjectErasure, site=console)
class SubjectErasureAdmin(PlatformModelAdmin):
    """Persons who were erased."""

    list_display = [
        cell("created_at", "Requested"),
        cell("entity", "Person (pseudonym)"),
        "of_model",
        cell("predictions", "Predictions removed"),
        cell("outcomes", "Outcomes removed"),
        "state",
        cell("requested_by", "By"),
    ]
    list_select_related = ["model"]
    list_commands = (
        Command("look-up", "Look a person up", Capability.ADMIN, "person_search"),
        Command("export", "Export a person's data", Capability.ADMIN, "download"),
        Command("erase", "Erase a person", Capability.ADMIN, "person_remove", "danger", reauthenticate=True),
    )
    empty_title = "Nobody was erased yet"
    empty_hint = "Look up, export or erase what is held about a person, by the key that predictions carry."

    @admin.display(description="Model", ordering="model")
    def of_model(self, erasure: SubjectErasure) -> str:
        """The one model that was chosen, or all."""
        return show(erasure.model or "all")

    @admin.display(description="State")
    def state(self, erasure: SubjectErasure) -> str:
        """Whether it is done."""
        return show(progress(erasure))

    def sections(self, request: HttpRequest, row: SubjectErasure) -> Iterable[Section | None]:
        """Return what was removed, and what erasing does not reach."""
        yield Facts(
            "Erasure",
            [
                ("State", progress(row)),
                ("Person (pseudonym)", row.entity),
                ("Model", row.model or "all"),
                ("Predictions removed", row.predictions),
                ("Outcomes removed", row.outcomes),
                ("Requested", row.created_at),
                ("By", row.requested_by),
                ("Finished", row.finished_at),
            ],
            wide=True,
        )
        yield from trace_tables(row.traces)

    def look_up(self, request: HttpRequest) -> HttpResponse:
        """Show what is held about a person."""
        form = bound(SubjectForm, request)

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            found = holdings(key=data["entity_key"], model=data["model"], by=by)
            return self._shown(request, form, page(*holdings_tables(found)))

        def page(*sections: Section) -> FormPage:
            return FormPage("What is held about a person?", "Look up", sections=sections)

        return self.form_page(request, page=page(), form=form, submit=submit)

    def export(self, request: HttpRequest) -> HttpResponse:
        """Send everything held about a person."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            export = export_subject(key=data["entity_key"], model=data["model"], by=by)
            return cast(HttpResponse, as_download(export))  # streamed, which a view may answer as well

        page = FormPage(
            "Export a person's data", "Download", intro="Predictions and outcomes, as one JSON document."
        )
        return self.form_page(request, page=page, form=bound(SubjectForm, request), submit=submit)

    def erase(self, request: HttpRequest) -> HttpResponse:
        """Show what would go, then have it erased."""
        form = bound(EraseForm, request)

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            whom = {"key": data["entity_key"], "model": data["model"]}
            if not data["confirm"]:
                return self._shown(request, form, page(*holdings_tables(holdings(**whom, by=by))))
            erasure = submit_erasure(**whom, by=by)
            return self.done(
                request, "A worker erases the person now; this page tells how far it is.", erasure
            )

        def page(*sections: Section) -> FormPage:
            return FormPage("Erase a person", "Go on", intro=ERASE_INTRO, danger=True, sections=sections)

        return self.form_page(request, page=page(), form=form, submit=submit)

    def _shown(self, request: HttpRequest, form: ConsoleForm, page: FormPage) -> HttpResponse:
        cancel = list_url(self.opts.label_lower)
        return self.render(request, "admin/pages/form.html", page=page, form=form, cancel=cancel)
