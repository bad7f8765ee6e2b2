"""Decisions of retraining policies, with the chain from alert to deployment."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.contrib.filters.admin import RelatedDropdownFilter

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Facts, Fragment, Section, Step
from mlplatform.admin.render import show, words
from mlplatform.admin.site import console
from monitoring.admin.words import DECISION_TONES, decision_badge
from monitoring.models import RetrainingDecision
from registry.models import Dataset
from training.admin.words import title_of


@admin.register(RetrainingDecision, site=console)
class RetrainingDecisionAdmin(PlatformModelAdmin):
    """What policies saw, did, and caused."""

    list_display = [
        cell("created_at", "When"),
        "verdict",
        cell("model", "Model"),
        "reason",
        cell("alert", "Alert"),
        cell("job", "Job"),
        "outcome",
    ]
    list_select_related = ["model", "alert", "job__model"]
    list_filter = ["state", ("model", RelatedDropdownFilter), "created_at"]
    search_fields = ["model__name", "reason", "outcome"]
    empty_title = "No decision yet"
    empty_hint = (
        "When an alert is open at a check, the model's policy decides whether to retrain, and says why."
    )

    @admin.display(description="Verdict", ordering="state")
    def verdict(self, decision: RetrainingDecision) -> str:
        """What came of it."""
        return show(decision_badge(decision))

    def sections(self, request: HttpRequest, row: RetrainingDecision) -> Iterable[Section | None]:
        """Return the chain of causes as a picture, the words, and what the policy saw."""
        yield Fragment("From alert to deployment", "admin/parts/chain.html", {"steps": chain(row)})
        yield Facts(
            "Decision",
            [
                ("Verdict", decision_badge(row)),
                ("Model", row.model),
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


def chain(decision: RetrainingDecision) -> list[Step]:
    """Return the stations that the decision has reached."""
    job, version = decision.job, decision.job.version if decision.job else None
    steps = [
        (decision.alert, "Alert", "notifications"),
        (decision, "Decision", "account_tree"),
        (job, "Job", "model_training"),
        (version, "Version", "layers"),
        (decision.deployment, "Deployment", "rocket_launch"),
    ]
    tone = DECISION_TONES[decision.state]
    return [
        Step(title, icon, 1, str(row), page_url(row), tone) for row, title, icon in steps if row is not None
    ]
