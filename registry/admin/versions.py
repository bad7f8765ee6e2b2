"""Versions: their record, and the page that promotes one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.contrib.filters.admin import RelatedDropdownFilter

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.extensions import version_actions, version_commands, version_sections
from mlplatform.admin.forms import ReasonForm, bound
from mlplatform.admin.links import command_url
from mlplatform.admin.parts import Badge, Facts, Section, Table
from mlplatform.admin.render import show, size
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability, demand
from registry.admin.cards import card_facts, card_page, words_page
from registry.admin.profiles import column_title
from registry.admin.tagging import tags_page, tags_shown
from registry.admin.transfer import export_version_page, origin_facts
from registry.admin.words import (
    clusters_table,
    comparison_table,
    gates_table,
    importance_table,
    is_champion,
    metrics_table,
    personal_badge,
    primary_metric,
    status_badge,
    twin_section,
)
from registry.errors import InvalidSearch
from registry.models import Alias, ModelVersion
from registry.models.deployment import CHAMPION
from registry.models.version import VersionStatus
from registry.services.gates import evaluate_gates
from registry.services.promotion import champion_of, promote
from registry.services.searching import search_versions

LARGE = [
    "features",
    "reference",
    "evaluation",
    "conformal",
    "importance",
    "params",
    "environment",
    "cv_metrics",
    "twin",
]


class PromoteForm(ReasonForm):
    """Why, and whether failed gates are passed over."""

    override = forms.BooleanField(
        required=False,
        label="Promote although a gate failed",
        help_text="Needs a reason. The failed gates stay in the history.",
    )


def promotable(version: ModelVersion) -> bool:
    """Tell whether the version could become champion."""
    return version.status == VersionStatus.READY and not is_champion(version)


@admin.action(description="Promote to champion", permissions=["deploy"])
def promote_selected(
    page: PlatformModelAdmin, request: HttpRequest, versions: QuerySet[ModelVersion]
) -> HttpResponse | None:
    """Go to the confirmation page of the one selected version."""
    chosen = list(versions[:2])
    if len(chosen) != 1:
        messages.error(request, "Select exactly one version to promote.")
        return None
    return HttpResponseRedirect(command_url(chosen[0], "promote"))


version_actions["promote_selected"] = promote_selected


@admin.register(ModelVersion, site=console)
class ModelVersionAdmin(PlatformModelAdmin):
    """Trained versions of all models."""

    list_display = [
        "name",
        cell("model", "Model"),
        "state",
        "algorithm",
        "score",
        "holdout",
        cell("created_at", "Trained"),
    ]
    list_select_related = ["model"]
    list_filter = [("model", RelatedDropdownFilter), "status", "algorithm", "created_at"]
    search_fields = ["model__name", "algorithm", "created_by"]
    search_help_text = 'A name, or for example: metrics.f1 > 0.9 and tags.team = "risk".'
    of_a_model = True
    actions = version_actions  # their names
    empty_title = "No version yet"
    empty_hint = "A version comes to be by a training job. Import data, register a model, and train it."
    commands = (
        Command(
            "promote",
            "Promote to champion",
            Capability.DEPLOY,
            "rocket_launch",
            "primary",
            available=promotable,
            reauthenticate=True,
        ),
        Command("card", "Model card", Capability.VIEW, "badge"),
        Command("words", "Words of the card", Capability.TRAIN, "edit_note"),
        Command("tags", "Tags", Capability.TRAIN, "sell"),
        Command("export", "Export", Capability.TRAIN, "download"),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ModelVersion], search_term: str
    ) -> tuple[QuerySet[ModelVersion], bool]:
        """Find by the language of searches where the words are one, else by a part of a name."""
        if not any(sign in search_term for sign in "=<>~"):
            plain: tuple[QuerySet[ModelVersion], bool] = super().get_search_results(
                request, queryset, search_term
            )
            return plain
        try:
            return queryset.filter(pk__in=search_versions(search_term).values("pk")), False
        except InvalidSearch as error:
            messages.error(request, error.detail)
            return queryset.none(), False

    def tags(self, request: HttpRequest, version: ModelVersion) -> HttpResponse:
        """Write the version's tags."""
        return tags_page(self, request, version)

    def card(self, request: HttpRequest, version: ModelVersion) -> HttpResponse:
        """Show the model card, or send it."""
        return card_page(self, request, version)

    def words(self, request: HttpRequest, version: ModelVersion) -> HttpResponse:
        """Write words into the card."""
        return words_page(self, request, version)

    def export(self, request: HttpRequest, version: ModelVersion) -> HttpResponse:
        """Send the version as a file for other programs."""
        return export_version_page(self, request, version)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        """Tell champions apart in the same query, and leave large columns to the page that shows them."""
        rows: QuerySet[ModelVersion] = super().get_queryset(request)
        champions = Alias.objects.filter(version=OuterRef("pk"), name=CHAMPION)
        return rows.annotate(champion=Exists(champions)).defer(*LARGE)

    @admin.display(description="Version", ordering="number")
    def name(self, version: ModelVersion) -> str:
        """The model's name and the version's number."""
        return str(version)

    @admin.display(description="State", ordering="status")
    def state(self, version: ModelVersion) -> str:
        """Champion, ready, failed or archived."""
        return show(status_badge(version, bool(getattr(version, "champion", False))))

    @admin.display(description="Score")
    def score(self, version: ModelVersion) -> str:
        """The primary metric on the hold-out."""
        return show(primary_metric(version.model, version.metrics))

    @admin.display(description="Hold-out rows", ordering="holdout_rows")
    def holdout(self, version: ModelVersion) -> str:
        """How many rows the score rests on."""
        return show(version.holdout_rows)

    def all_commands(self) -> Sequence[Command]:
        """Return the own commands, and those that training adds."""
        return [*self.commands, *version_commands]

    def sections(self, request: HttpRequest, row: ModelVersion) -> Iterable[Section | None]:
        """Return the version's whole record."""
        yield _identity(row)
        yield origin_facts(row.origin)
        yield metrics_table(row)
        yield card_facts(row)
        yield importance_table(row)
        for make in version_sections:
            yield from make(row)
        yield Facts("Parameters", [(name.replace("_", " "), value) for name, value in row.params.items()])
        yield Table(
            "Features",
            ["Name", "Type", "Personal", "May be missing", "Values"],
            [
                [
                    column_title(one),
                    Badge(one["type"], "info"),
                    personal_badge(one),
                    one["nullable"],
                    list(one.get("categories", ())),
                ]
                for one in row.features
            ],
        )
        yield clusters_table(row)
        yield twin_section(row)
        if row.classes:
            yield Facts("Classes", [("Labels", row.classes)])
        yield Facts("Environment", list(row.environment.items()))

    def promote(self, request: HttpRequest, version: ModelVersion) -> HttpResponse:
        """Show both versions and the gates, then promote."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            if data["override"]:
                demand(request.user, Capability.APPROVE, "Only approvers pass over failed gates.", version)
            promote(
                model=version.model, version=version, by=by, reason=data["reason"], override=data["override"]
            )
            return self.done(request, f"{version} is now the champion.", version.model)

        page = FormPage(
            f"Promote {version} to champion?",
            "Promote",
            intro="From then on it answers every prediction of this model. You can roll back at any time.",
            sections=self._evidence(version),
        )
        return self.form_page(
            request, page=page, form=bound(PromoteForm, request), submit=submit, row=version
        )

    def _evidence(self, version: ModelVersion) -> list[Section]:
        gates = evaluate_gates(model=version.model, candidate=version)
        return [
            comparison_table(version, champion_of(version.model)),
            gates_table([gate.as_json() for gate in gates]),
        ]


def _identity(row: ModelVersion) -> Facts:
    """Return what the version is, and where it came from."""
    return Facts(
        str(row),
        [
            ("State", status_badge(row, is_champion(row))),
            ("Why", row.status_reason or None),
            ("Model", row.model),
            ("Algorithm", row.algorithm.replace("_", " ")),
            ("Tags", tags_shown(row)),
            ("Trained on", row.dataset),
            ("Training job", getattr(row, "job", None)),
            ("Trained", row.created_at),
            ("By", row.created_by),
            ("Artefact", _artefact(row)),
        ],
    )


def _artefact(row: ModelVersion) -> str:
    """Return how large the stored pipeline is, or that it is kept no more."""
    told = f"{size(row.artifact_bytes)}, SHA-256 {row.artifact_hash[:16]}…"
    return f"{told}, signed" if row.artifact_file else f"kept no more; it had {told}"
