"""What monitoring does with a model by hand: checks, policy, log. It hangs in at the model's page."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from mlplatform.admin.commands import Command
from mlplatform.admin.extensions import model_commands
from mlplatform.admin.links import command_url, page_url
from mlplatform.admin.parts import Menu
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability
from monitoring.services.policies import policy_of
from monitoring.tasks import submit_checks, submit_treatment
from registry.models import RegisteredModel
from registry.services.promotion import champion_of


def check_now(request: HttpRequest, model: RegisteredModel) -> HttpResponse:
    """Run the checks and say what they found."""
    result = submit_checks(model=model, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
    for note in result.notes:
        messages.info(request, note)
    messages.success(request, f"{model} was checked; {len(result.raised)} new alerts.")
    return HttpResponseRedirect(page_url(model))


def edit_policy(request: HttpRequest, model: RegisteredModel) -> HttpResponse:
    """Go to the policy's form; a model without a policy gets the default one."""
    return HttpResponseRedirect(command_url(policy_of(model), "edit"))


def treat_log(request: HttpRequest, model: RegisteredModel) -> HttpResponse:
    """Have what is logged already treated by the marks of personal columns."""
    submit_treatment(model=model, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
    messages.success(request, "A worker treats the log; the model's history tells when it is done.")
    return HttpResponseRedirect(page_url(model))


def _has_personal_columns(model: RegisteredModel) -> bool:
    return bool(model.personal)


def _deployed(model: RegisteredModel) -> bool:
    return champion_of(model) is not None


model_commands.append(
    Command(
        "check",
        "Run checks",
        Capability.MONITOR,
        "troubleshoot",
        post=True,
        available=_deployed,
        view=check_now,
    )
)
model_commands.append(
    Command(
        "policy", "Edit policy", Capability.MONITOR, "policy", post=True, view=edit_policy, menu=Menu.SETTINGS
    )
)
model_commands.append(
    Command(
        "treat-log",
        "Apply marks to the log",
        Capability.ADMIN,
        "shield_lock",
        post=True,
        available=_has_personal_columns,
        view=treat_log,
        menu=Menu.SETTINGS,
    )
)
