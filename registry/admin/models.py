"""Models: the page that shows a model's whole loop, and the rollback page."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.extensions import (
    model_actions,
    model_buttons,
    model_commands,
    model_sections,
    model_steps,
)
from mlplatform.admin.forms import bound
from mlplatform.admin.links import add_url
from mlplatform.admin.parts import Badge, Button, Facts, Fragment, Menu, Section
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.admin.grants import grants_table
from mlplatform.tenancy.permissions import Capability
from registry.admin.aliases import alias_page
from registry.admin.cards import card_facts, words_page
from registry.admin.demands import demands_table, gates_page
from registry.admin.finding import best_page
from registry.admin.model_forms import ChangeForm, ModelForm, RollbackForm
from registry.admin.personal import MOST_COLUMNS, columns_page
from registry.admin.retention import model_retention_page
from registry.admin.serving import cache_words, log_words
from registry.admin.tagging import past_page, tags_page, tags_shown
from registry.admin.transfer import (
    export_model_page,
    import_model_page,
    import_version_page,
    origin_facts,
    takes_files,
)
from registry.models import Alias, RegisteredModel
from registry.models.deployment import CHAMPION
from registry.models.registered_model import CheckPolicy, ProblemKind
from registry.services.aliases import aliases_of
from registry.services.champions import earlier_champions
from registry.services.models import CHANGEABLE, create_model, update_model
from registry.services.personal import mark_model, model_columns, model_marks
from registry.services.promotion import champion_of, rollback


def has_earlier(model: RegisteredModel) -> bool:
    """Tell whether there is a champion to go back to."""
    return bool(earlier_champions(model))


def has_run(model: RegisteredModel) -> bool:
    """Tell whether the model has ever answered."""
    return model.deployments.exists()


def has_versions(model: RegisteredModel) -> bool:
    """Tell whether the model has been trained."""
    return model.versions.exists()


def has_columns(model: RegisteredModel) -> bool:
    """Tell whether the model has columns to mark, and not too many for a form."""
    return 0 < len(model_columns(model)) <= MOST_COLUMNS


@admin.register(RegisteredModel, site=console)
class RegisteredModelAdmin(PlatformModelAdmin):
    """Questions asked of data, whichever version answers."""

    can_add = True
    add_title = "New model"
    list_display = ["name", "kind", "target", "champion", "versions_made", cell("created_at", "Registered")]
    list_filter = ["problem_type", "created_at"]
    search_fields = ["name", "description", "target"]
    actions = model_actions  # their names
    empty_title = "No model yet"
    empty_hint = "A model is a question asked of data: which column to predict. Register one, train it."
    list_commands = (Command("import-archive", "Import a model", Capability.TRAIN, "upload_file"),)
    commands = (
        Command("edit", "Edit", Capability.TRAIN, "edit"),
        Command(
            "columns",
            "Personal columns",
            Capability.TRAIN,
            "shield_person",
            available=has_columns,
            menu=Menu.SETTINGS,
        ),
        Command("words", "Words of the card", Capability.TRAIN, "edit_note", menu=Menu.SETTINGS),
        Command("tags", "Tags", Capability.TRAIN, "sell", menu=Menu.SETTINGS),
        Command("gates", "Gates", Capability.APPROVE, "checklist", menu=Menu.SETTINGS),
        Command("alias", "Aliases", Capability.DEPLOY, "label", menu=Menu.SETTINGS),
        Command(
            "retention", "Retention", Capability.ADMIN, "auto_delete", reauthenticate=True, menu=Menu.SETTINGS
        ),
        Command("best", "Best version", Capability.VIEW, "trophy", available=has_versions, menu=Menu.LOOK),
        Command("export", "Export", Capability.TRAIN, "download", menu=Menu.FILES),
        Command(
            "import-version",
            "Import a version",
            Capability.TRAIN,
            "upload_file",
            available=takes_files,
            menu=Menu.FILES,
        ),
        Command(
            "past", "What ran when", Capability.VIEW, "history_toggle_off", available=has_run, menu=Menu.LOOK
        ),
        Command(
            "roll-back",
            "Roll back",
            Capability.DEPLOY,
            "undo",
            "danger",
            available=has_earlier,
            reauthenticate=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[RegisteredModel]:
        """Fetch the champion and the number of versions in the same query."""
        rows: QuerySet[RegisteredModel] = super().get_queryset(request)
        champion = Alias.objects.filter(model=OuterRef("pk"), name=CHAMPION).values("version__number")[:1]
        return rows.annotate(champion_number=Subquery(champion), version_count=Count("versions"))

    @admin.display(description="Kind", ordering="problem_type")
    def kind(self, model: RegisteredModel) -> str:
        """The kind of problem."""
        return show(Badge(ProblemKind(model.problem_type).label, "info"))

    @admin.display(description="Champion")
    def champion(self, model: RegisteredModel) -> str:
        """The version that answers."""
        found = getattr(model, "champion_number", None)
        return show(Badge(f"v{found}", "good") if found else Badge("none", "warn"))

    @admin.display(description="Versions", ordering="version_count")
    def versions_made(self, model: RegisteredModel) -> str:
        """How many versions there are."""
        return show(getattr(model, "version_count", 0))

    def sections(self, request: HttpRequest, row: RegisteredModel) -> Iterable[Section | None]:
        """Return the loop as a picture, then what each part has to show."""
        steps = [make(row) for make in model_steps]
        yield Fragment("The model's loop", "admin/parts/loop.html", {"steps": steps})
        champion = champion_of(row)
        yield Facts(
            row.name,
            [
                ("Champion", champion or Badge("none: promote a version", "warn")),
                ("Kind of problem", ProblemKind(row.problem_type).label),
                ("What it does", row.purpose),
                ("What for", row.description),
                ("Checks before training", CheckPolicy(row.data_checks).label),
                ("Log of predictions", log_words(row)),
                ("Answers from memory", cache_words(row)),
                ("In shadow", ", ".join(row.shadow_aliases) or "no version"),
                ("Tolerance of twins", row.twin_tolerance),
                ("Personal columns", ", ".join(row.personal) or "none"),
                ("Tags", tags_shown(row)),
                ("Ask it at", f"/api/v1/models/{row.name}/predict"),
                ("by Open Inference clients", f"/v2/models/{row.name}/infer"),
                ("by MLflow's clients", f"/api/v1/models/{row.name}/invocations"),
                ("Registered", row.created_at),
                ("By", row.created_by),
            ],
        )
        yield origin_facts(row.origin)
        for make in model_sections:
            yield make(row)
        yield demands_table(row)
        yield card_facts(row)
        if self.may(request, Capability.ADMIN):
            yield grants_table("Who may do more, or less, here", row.grants.all())

    def buttons(self, request: HttpRequest, row: RegisteredModel) -> Iterable[Button]:
        """Offer what other parts do with a model."""
        access = add_url("tenancy.grant", model=row.pk)
        return [
            *(make(row) for make in model_buttons),
            Button("Give a right", access, "lock_person", Capability.ADMIN, menu=Menu.SETTINGS),
        ]

    def all_commands(self) -> Sequence[Command]:
        """Return the own commands, and those that training and monitoring add."""
        return [*self.commands, *model_commands]

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Register a model."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            model = create_model(**data, by=by)
            return self.done(request, f"{model} is registered. Train it next.", model)

        page = FormPage(
            "New model",
            "Register model",
            intro="Say what to predict or look for; versions come from training.",
        )
        return self.form_page(request, page=page, form=bound(ModelForm, request), submit=submit)

    def tags(self, request: HttpRequest, model: RegisteredModel) -> HttpResponse:
        """Write the model's tags."""
        return tags_page(self, request, model)

    def words(self, request: HttpRequest, model: RegisteredModel) -> HttpResponse:
        """Write words into the cards of all versions."""
        return words_page(self, request, model)

    def past(self, request: HttpRequest, model: RegisteredModel) -> HttpResponse:
        """Tell what ran at a time."""
        return past_page(self, request, model)

    def best(self, request: HttpRequest, model: RegisteredModel) -> HttpResponse:
        """Tell which version is best by a metric."""
        return best_page(self, request, model)

    def alias(self, request: HttpRequest, model: RegisteredModel) -> HttpResponse:
        """Point a name to a version, or take it off."""
        return alias_page(self, request, model)

    def retention(self, request: HttpRequest, model: RegisteredModel) -> HttpResponse:
        """Choose how long the model's things are kept."""
        return model_retention_page(self, request, model)

    def export(self, request: HttpRequest, model: RegisteredModel) -> HttpResponse:
        """Send the model with all its versions as one file."""
        return export_model_page(self, request, model)

    def import_archive(self, request: HttpRequest) -> HttpResponse:
        """Make a new model of an archive."""
        return import_model_page(self, request)

    def import_version(self, request: HttpRequest, model: RegisteredModel) -> HttpResponse:
        """Make a file from outside the next version."""
        return import_version_page(self, request, model)

    def gates(self, request: HttpRequest, model: RegisteredModel) -> HttpResponse:
        """Choose which gates a version must pass."""
        return gates_page(self, request, model)

    def edit(self, request: HttpRequest, model: RegisteredModel) -> HttpResponse:
        """Change the description, what the data checks do, and how the model answers."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            update_model(model=model, changes=dict(data), by=by)
            return self.done(request, "The model was saved.", model)

        now = {name: getattr(model, name) for name in CHANGEABLE}
        aliases = list(aliases_of(model).exclude(name=CHAMPION))
        form = bound(ChangeForm, request, initial=now, aliases=aliases)
        return self.form_page(
            request, page=FormPage(f"Edit {model}", "Save"), form=form, submit=submit, row=model
        )

    def columns(self, request: HttpRequest, model: RegisteredModel) -> HttpResponse:
        """Mark columns as personal."""
        return columns_page(
            self,
            request,
            model,
            columns=model_columns(model),
            marks=model_marks(model),
            apply=lambda changes, by: mark_model(model=model, changes=changes, by=by),
        )

    def roll_back(self, request: HttpRequest, model: RegisteredModel) -> HttpResponse:
        """Ask to which version and why, then roll back."""
        earlier = earlier_champions(model)

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            version = next(one for one in earlier if one.pk == data["to"])
            rollback(model=model, by=by, reason=data["reason"], to=version)
            return self.done(request, f"{model} is answered by v{version.number} again.", model)

        now = champion_of(model)
        page = FormPage(
            f"Roll {model} back?",
            "Roll back",
            intro=f"v{now.number if now else '–'} answers now. The change counts at once.",
            danger=True,
        )
        form = bound(RollbackForm, request, earlier=earlier)
        return self.form_page(request, page=page, form=form, submit=submit, row=model)
