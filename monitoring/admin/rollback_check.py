"""The page that tells whether a rollback is due; it hangs in at the model's page."""

from typing import cast

from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import Command
from mlplatform.admin.extensions import model_commands
from mlplatform.admin.links import command_url, page_url
from mlplatform.admin.parts import Badge, Button, Facts, Menu, Table
from mlplatform.admin.site import console
from mlplatform.tenancy.permissions import Capability
from monitoring.services.rollback_check import RollbackCheck, auto_rollback_check
from registry.models import RegisteredModel
from registry.services.promotion import champion_of

NOTE = (
    "Due is a rollback where the outcomes prove the champion to be worse than its limit: the whole interval "
    "lies on the wrong side of it. Nothing is changed here."
)

ALWAYS = (
    "These may be looked at as often as one likes: the policy's share of false alarms holds for all looks."
)
UNWATCHED = "Nothing: a version is watched after its promotion, not after a rollback."


def rollback_check_page(request: HttpRequest, model: RegisteredModel) -> HttpResponse:
    """Show what the outcomes prove of the champion, and lead to the rollback."""
    found = auto_rollback_check(model)
    pages = cast(PlatformModelAdmin, console.get_model_admin(RegisteredModel))
    buttons = [Button("Back", page_url(model), "arrow_back")]
    if found.to is not None and pages.may(request, Capability.DEPLOY, model):
        title = f"Roll back to v{found.to.number}"
        buttons.append(
            Button(title, f"{command_url(model, 'roll-back')}?to={found.to.pk}", "undo", variant="danger")
        )
    return pages.render(
        request,
        "admin/pages/object.html",
        model,
        title=f"Is a rollback of {model} due?",
        sections=[_facts(found), _tests(found)],
        buttons=buttons,
    )


def _facts(found: RollbackCheck) -> Facts:
    verdict = Badge("Roll back", "bad") if found.due else Badge("No", "good")
    rows = [
        ("Due", verdict),
        ("Why", found.sentence),
        ("Champion", found.version),
        ("It would go back to", found.to or "nothing: no earlier champion can answer"),
    ]
    return Facts("What the outcomes prove", rows, NOTE, wide=True)


def _tests(found: RollbackCheck) -> Table:
    rows = [
        [
            one.what,
            told["mean"],
            told["at_least"],
            told["limit"],
            told["rows"],
            Badge("Proven", "bad") if one.proven else Badge("Not proven", "muted"),
        ]
        for one in found.tests
        if (told := one.as_json())
    ]
    columns = ["What", "Is", "At least", "Limit", "Answers", "Beyond its limit"]
    return Table("What a policy looks at", columns, rows, empty=UNWATCHED, note=ALWAYS)


def _deployed(model: RegisteredModel) -> bool:
    return champion_of(model) is not None


model_commands.append(
    Command(
        "rollback-check",
        "Is a rollback due?",
        Capability.VIEW,
        "rule",
        available=_deployed,
        view=rollback_check_page,
        menu=Menu.LOOK,
    )
)
