"""Data sources: written down by a form, tried before and after, asked for snapshots."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.extensions import attention
from mlplatform.admin.forms import ConfirmForm, bound
from mlplatform.admin.links import add_url, page_url
from mlplatform.admin.parts import Button, Facts, Notice, Section, Table
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability, allowed_models
from registry.models import Dataset
from training.admin.source_forms import FORMS, KindForm, SourceForm, initial_of
from training.admin.source_words import place_of, preview_table, settings_facts, source_badge
from training.models import DataSource
from training.services.snapshots import Preview, preview_source, snapshot_in_request, try_source
from training.services.sources import create_source, delete_source, update_source
from training.sources.kinds import KINDS

NEWEST = 20
INTRO = (
    "Nothing is read until you try it. Try shows the first 20 rows and keeps nothing; Save writes the source "
    "down, with its credential encrypted."
)


@attention.at(26)
def sources_in_trouble() -> Iterable[Notice]:
    """Yield sources that gave no rows when they were asked last."""
    failed = Q(last_snapshot_at=None) | Q(last_failed_at__gt=F("last_snapshot_at"))
    for source in DataSource.objects.exclude(last_failed_at=None).filter(failed)[:10]:
        yield Notice("warn", f"Source {source} gave no rows", source.last_failure[:200], page_url(source))


@admin.register(DataSource, site=console)
class DataSourceAdmin(PlatformModelAdmin):
    """Where new rows come from."""

    can_add = True
    add_title = "New source"
    list_display = [
        "name",
        "state",
        "kind",
        "place",
        cell("last_snapshot", "Last snapshot"),
        cell("last_snapshot_at", "Taken"),
    ]
    list_select_related = ["model", "last_snapshot"]
    list_filter = ["kind"]
    search_fields = ["name", "created_by"]
    empty_title = "No source yet"
    empty_hint = "A source is a database, a web service or a store that gives new rows again and again."
    commands = (
        Command("snapshot", "Take a snapshot", Capability.DATA, "photo_camera", "primary", post=True),
        Command("preview", "Preview", Capability.DATA, "preview", post=True),
        Command("edit", "Edit", Capability.DATA, "edit"),
        Command("remove", "Delete", Capability.DATA, "delete", "danger", reauthenticate=True),
    )

    @admin.display(description="State")
    def state(self, source: DataSource) -> str:
        """How the newest attempt at a snapshot went."""
        return show(source_badge(source))

    @admin.display(description="From")
    def place(self, source: DataSource) -> str:
        """Where the rows come from."""
        return place_of(source)

    def sections(self, request: HttpRequest, row: DataSource) -> Iterable[Section | None]:
        """Return the record, how it is asked, and its snapshots."""
        yield Facts(
            row.name,
            [
                ("State", source_badge(row)),
                ("Kind", row.get_kind_display()),
                ("From", place_of(row)),
                ("Model", row.model),
                ("Credential", "kept, encrypted" if row.credential else "none"),
                ("Personal columns", [f"{name}: {one}" for name, one in row.personal.items()] or None),
                ("Last snapshot", row.last_snapshot),
                ("Taken", row.last_snapshot_at or "never"),
                ("Last failure", row.last_failure or None),
                ("Failed", row.last_failed_at),
                ("Created", row.created_at),
                ("By", row.created_by),
            ],
        )
        yield settings_facts(row)
        taken = Dataset.objects.filter(origin__kind="source", origin__source=row.pk).defer(
            "profile", "columns"
        )
        yield Table(
            "Snapshots",
            ["Dataset", "Rows", "Frozen"],
            [[dataset, dataset.rows, dataset.created_at] for dataset in taken[:NEWEST]],
            empty="None yet. Take one, then train on it.",
            note="The same content is frozen once.",
        )

    def buttons(self, request: HttpRequest, row: DataSource) -> Iterable[Button]:
        """Offer to train on what it gives."""
        if row.last_snapshot_id is not None:
            address = add_url("training.trainingjob", source=row.pk)
            yield Button("Train on it", address, "model_training", Capability.TRAIN)

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Ask for the kind, then for the place, and try or save it."""
        kind = request.GET.get("kind", "")
        if kind not in FORMS:
            return self._choose_kind(request)

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            given: dict[str, Any] = {
                "kind": kind,
                "settings": form.settings(),
                "personal": form.personal(),
                "by": by,
            }
            given |= {"secret": data.get("secret", ""), "model": data.get("model")}
            if "try" in request.POST:
                return self._tried(request, page, form, try_source(**given))
            source = create_source(name=data["name"], **given)
            return self.done(
                request, "The source is written down. Take a snapshot to freeze its rows.", source
            )

        page = FormPage(f"New source: {KINDS[kind].title}", "Save", intro=INTRO, second=("try", "Try"))
        form = self._form(request, kind)
        return self.form_page(request, page=page, form=form, submit=submit)

    def edit(self, request: HttpRequest, source: DataSource) -> HttpResponse:
        """Change it, after a try if wanted."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            changes = {"name": data["name"], "settings": form.settings(), "personal": form.personal()}
            if data.get("secret"):
                changes["secret"] = data["secret"]
            update_source(source=source, changes=changes, by=by)
            return self.done(request, "The source was saved. Preview shows what it gives now.", source)

        form = self._form(request, source.kind, source)
        page = FormPage(
            f"Edit {source}", "Save", intro="Where it leads elsewhere, enter the credential again."
        )
        return self.form_page(request, page=page, form=form, submit=submit, row=source)

    def preview(self, request: HttpRequest, source: DataSource) -> HttpResponse:
        """Show the first rows."""
        found = preview_source(source=source, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        sections = [preview_table(found), *(one for one in self.sections(request, source) if one)]
        return self.render(
            request,
            "admin/pages/object.html",
            source,
            sections=sections,
            buttons=self._all_buttons(request, source),
        )

    def snapshot(self, request: HttpRequest, source: DataSource) -> HttpResponse:
        """Freeze all rows as a dataset."""
        found = snapshot_in_request(source=source, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        rows = f"{found.dataset.rows:,} rows"
        said = (
            f"Frozen: {rows}."
            if found.created
            else f"The same {rows} were frozen before; this is their page."
        )
        return self.done(request, said, found.dataset)

    def remove(self, request: HttpRequest, source: DataSource) -> HttpResponse:
        """Ask, then forget it."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            name = source.name
            delete_source(source=source, by=by)
            return self.done(request, f"{name} was deleted. Its snapshots stay.")

        page = FormPage(
            f"Delete {source}?",
            "Delete",
            intro="Its credential is forgotten. Snapshots that were taken stay.",
            danger=True,
        )
        return self.form_page(request, page=page, form=bound(ConfirmForm, request), submit=submit, row=source)

    def _choose_kind(self, request: HttpRequest) -> HttpResponse:
        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            return HttpResponseRedirect(add_url("training.datasource", kind=data["kind"]))

        page = FormPage("New source", "Next", intro="A source gives new rows again and again.")
        return self.form_page(request, page=page, form=bound(KindForm, request), submit=submit)

    def _form(self, request: HttpRequest, kind: str, source: DataSource | None = None) -> SourceForm:
        more: dict[str, Any] = {"source": source}
        if source is not None:
            more["initial"] = initial_of(source)
        if kind == "predictions":
            more["models"] = allowed_models(request.user, Capability.VIEW)
        return bound(FORMS[kind], request, **more)

    def _tried(
        self, request: HttpRequest, page: FormPage, form: SourceForm, preview: Preview
    ) -> HttpResponse:
        """Show the form again, as it was filled in, below what the source gave."""
        shown = FormPage(
            page.title, page.submit, page.intro, sections=[preview_table(preview)], second=page.second
        )
        cancel = add_url("training.datasource")
        return self.render(request, "admin/pages/form.html", page=shown, form=form, cancel=cancel)
