"""The history of what runs."""

from collections.abc import Iterable

from django.contrib import admin
from django.http import HttpRequest
from unfold.contrib.filters.admin import RelatedDropdownFilter

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.parts import Badge, Facts, Section, Tone
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from registry.admin.words import gates_table
from registry.models import Deployment
from registry.models.deployment import DeploymentAction

ACTION_TONES: dict[DeploymentAction, Tone] = {
    DeploymentAction.PROMOTE: "good",
    DeploymentAction.ROLLBACK: "warn",
}


def action_badge(deployment: Deployment) -> Badge:
    """Return what sort of change it was."""
    action = DeploymentAction(deployment.action)
    return Badge(action.label, ACTION_TONES.get(action, "info"))


def override_badge(deployment: Deployment) -> Badge | None:
    """Return the mark of a change that passed over a failed gate."""
    return Badge("Gates passed over", "bad") if deployment.overridden else None


@admin.register(Deployment, site=console)
class DeploymentAdmin(PlatformModelAdmin):
    """One row for each change of what runs."""

    list_display = [
        cell("created_at", "When"),
        "what",
        cell("alias", "Name"),
        cell("version", "To"),
        cell("previous", "From"),
        "actor_label",
        "reason",
    ]
    list_select_related = ["model", "version__model", "previous__model"]
    list_filter = [("model", RelatedDropdownFilter), "alias", "action", "overridden", "created_at"]
    search_fields = ["model__name", "actor_label", "reason"]
    empty_title = "Nothing has been deployed yet"
    empty_hint = "Promote a version of a model to champion; each such change is kept here for ever."

    @admin.display(description="What", ordering="action")
    def what(self, deployment: Deployment) -> str:
        """What sort of change it was."""
        return show(action_badge(deployment)) + show(override_badge(deployment))

    def sections(self, request: HttpRequest, row: Deployment) -> Iterable[Section | None]:
        """Return who changed what, why, and what the gates said."""
        yield Facts(
            str(row),
            [
                ("What", action_badge(row)),
                ("Gates", override_badge(row)),
                ("Model", row.model),
                ("Name", row.alias),
                ("To", row.version),
                ("From", row.previous),
                ("Reason", row.reason),
                ("Request", row.request),
                ("By", f"{row.actor_label} ({row.actor_kind.replace('_', ' ')})"),
                ("When", row.created_at),
            ],
            wide=True,
        )
        yield gates_table(row.gates)
