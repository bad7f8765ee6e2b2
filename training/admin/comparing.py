"""The page that puts a version beside others."""

from typing import cast

from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import Command
from mlplatform.admin.extensions import version_commands
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Button, Fragment, Section
from mlplatform.admin.site import console
from mlplatform.tenancy.permissions import Capability
from mlplatform.tenancy.refusals import mark_refused
from registry.models import ModelVersion
from registry.services.listings import HEAVY_VERSION_COLUMNS
from training.pages.side_by_side import comparison_sections
from training.services.side_by_side import MOST, compare, find_contenders

OFFERED = 30


def compare_page(request: HttpRequest, version: ModelVersion) -> HttpResponse:
    """Offer other versions to compare with, and show the comparison once some are chosen."""
    offered = _offered(version)
    asked = {int(key) for key in request.GET.getlist("with") if key.isdecimal()}
    chosen = [one for one in offered if one.pk in asked]
    if len(chosen) < len(asked - {version.pk}):
        mark_refused(request)
    choices = [(one.pk, f"{one} · {one.algorithm.replace('_', ' ')}", one.pk in asked) for one in offered]
    picker = Fragment(
        f"Compare {version} with",
        "admin/parts/picker.html",
        {"name": "with", "choices": choices, "submit": "Compare"},
        note=f"Up to {MOST - 1} others that predict {version.model.target or 'the same'}.",
    )
    sections: list[Section] = [picker]
    if chosen:
        contenders = find_contenders(versions=[version.pk, *(one.pk for one in chosen)])
        sections += comparison_sections(compare(contenders))
    return cast(PlatformModelAdmin, console.get_model_admin(ModelVersion)).render(
        request,
        "admin/pages/object.html",
        version,
        title=f"Compare {version}",
        sections=sections,
        buttons=[Button("Back", page_url(version), "arrow_back")],
    )


def _offered(version: ModelVersion) -> list[ModelVersion]:
    rows = ModelVersion.objects.filter(
        model__problem_type=version.model.problem_type, model__target=version.model.target
    ).exclude(pk=version.pk)
    newest = rows.select_related("model").defer(*HEAVY_VERSION_COLUMNS).order_by("-created_at")[: 4 * OFFERED]
    return sorted(newest, key=lambda one: one.model_id != version.model_id)[:OFFERED]


version_commands.append(Command("compare", "Compare", Capability.VIEW, "compare_arrows", view=compare_page))
