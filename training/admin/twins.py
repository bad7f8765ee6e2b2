"""Making twins of versions, on a version's page and in their list."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import Command
from mlplatform.admin.extensions import version_actions, version_commands
from mlplatform.admin.links import page_url
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability
from registry.models import ModelVersion
from registry.models.version import VersionStatus
from registry.services.twins import twin_facts
from training.services.twin_making import make_twin_of


def is_ready(version: ModelVersion) -> bool:
    """Tell whether the version could have a twin."""
    return version.status == VersionStatus.READY


def twin(request: HttpRequest, version: ModelVersion) -> HttpResponse:
    """Make the twin and say how far it agrees."""
    made = twin_facts(make_twin_of(version=version, by=Actor.of(request.user)))  # type: ignore[arg-type]  # signed in
    if made["made"]:
        told = f"on {made['rows']:,} rows no number is more than {made['difference']:.2g} off"
        told = f"{version} has a twin: {told}."
        messages.success(request, told)
    else:
        messages.warning(request, f"{version} has no twin. {made['reason']}")
    return HttpResponseRedirect(page_url(version))


version_commands.append(
    Command("twin", "Make the twin", Capability.TRAIN, "bolt", post=True, available=is_ready, view=twin)
)


@admin.action(description="Make their twins", permissions=["train"])
def make_twins(page: PlatformModelAdmin, request: HttpRequest, versions: QuerySet[ModelVersion]) -> Any:
    """Make the twin of each selected version."""
    page.for_each(
        request,
        versions.defer(None).select_related("model", "dataset"),
        Capability.TRAIN,
        lambda version, by: make_twin_of(version=version, by=by),
        "tried: each page says what came of it",
    )


version_actions["make_twins"] = make_twins
