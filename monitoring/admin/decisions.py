"""Decisions of retraining policies, with the chain from alert to deployment."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RelatedDropdownFilter

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Badge, Facts, Fragment, Link, Section, Step, Table, Tone
from mlplatform.admin.render import show, words
from mlplatform.admin.site import console
from monitoring.admin.words import DECISION_TONES, decision_badge
from monitoring.models import RetrainingDecision
from monitoring.services.chains import Station, chain_of, decisions_overview
from registry.models import Dataset
from training.admin.words import title_of

KINDS = {
    "alert": ("Alert", "notifications"),
    "decision": ("Decision", "account_tree"),
    "job": ("Job", "model_training"),
    "version": ("Version", "layers"),
    "gates": ("Gates", "rule"),
    "request": ("Promotion request", "how_to_vote"),
    "deployment": ("Deployment", "rocket_launch"),
}


@admin.register(RetrainingDecision, site=console)
class RetrainingDecisionAdmin(PlatformModelAdmin):
    """What policies saw, did, and caused."""

    list_display = [
        cell("created_at", "When"),
        "verdict",
        "rule",
        cell("model", "Model"),
        "reason",
        cell("alert", "Alert"),
        cell("job", "Job"),
        "outcome",
    ]
    list_filter = ["state", "rule", ("model", RelatedDropdownFilter), "created_at"]
    search_fields = ["model__name", "reason", "outcome"]
    empty_title = "No decision yet"
    empty_hint = (
        "At each check the model's policy decides whether to retrain, and says why: because of an alert, of "
        "age, or of another of its rules."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[RetrainingDecision]:
        """Fetch what the chain tells in the same query."""
        return decisions_overview()

    @admin.display(description="Verdict", ordering="state")
    def verdict(self, decision: RetrainingDecision) -> str:
        """What came of it."""
        return show(decision_badge(decision))

    def sections(self, request: HttpRequest, row: RetrainingDecision) -> Iterable[Section | None]:
        """Return the chain of causes as a picture, the words, and what the policy saw."""
        stations = chain_of(row)
        yield Fragment("From alert to deployment", "admin/parts/chain.html", {"steps": chain(stations)})
        yield chain_table(stations)
        yield Facts(
            "Decision",
            [
                ("Verdict", decision_badge(row)),
                ("Model", row.model),
                ("Rule", row.get_rule_display()),
                ("Champion then", row.champion),
                ("Why", row.reason),
                ("What came of it", row.outcome),
                ("Decided", row.created_at),
                ("Settled", row.settled_at),
            ],
        )
        yield Facts("What it saw", input_rows(row))


def input_rows(decision: RetrainingDecision) -> list[tuple[str, Any]]:
    """Return what the policy saw; the configuration by its algorithms, the dataset as a link."""
    found = dict(decision.inputs)
    config = found.pop("config", None) or {}
    if "dataset" in found:
        found["dataset"] = Dataset.objects.filter(pk=found["dataset"]).first()
    if config:
        found["algorithms"] = [title_of(one["key"]) for one in config.get("algorithms", [])]
    return [(words(name).capitalize(), value) for name, value in found.items()]


def chain(stations: list[Station]) -> list[Step]:
    """Return the stations as steps of a picture."""
    return [
        Step(
            KINDS[one.kind][0],
            KINDS[one.kind][1],
            1,
            f"{one.title}: {one.state}",
            page_url(one.row),
            tone(one),
        )
        for one in stations
    ]


def tone(one: Station) -> Tone:
    """Return how a station stands."""
    if isinstance(one.row, RetrainingDecision):
        return DECISION_TONES[one.row.state]
    if one.kind == "gates":
        return "bad" if "failed" in one.state else "good"
    return "good" if one.kind == "deployment" else "info"


def chain_table(stations: list[Station]) -> Table:
    """Return the chain in words."""
    rows = [
        [
            KINDS[one.kind][0],
            Link(one.title, page_url(one.row)),
            Badge(one.state, tone(one)),
            one.sentence,
            one.at,
        ]
        for one in stations
    ]
    return Table("The chain in words", ["Station", "What", "State", "Why", "When"], rows)
