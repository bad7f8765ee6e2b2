"""The pages that put versions and jobs beside others."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import Command
from mlplatform.admin.extensions import version_actions, version_commands
from mlplatform.admin.links import command_url, list_command_url, list_url, page_url
from mlplatform.admin.parts import Button, Fragment, Section
from mlplatform.admin.site import console
from mlplatform.tenancy.permissions import Capability
from mlplatform.tenancy.refusals import mark_refused
from registry.models import ModelVersion
from registry.services.listings import HEAVY_VERSION_COLUMNS
from training.models import JobState, TrainingJob
from training.pages.side_by_side import comparison_sections
from training.services.contenders import find_contenders
from training.services.side_by_side import LEAST, MOST, compare

OFFERED = 30
JOBS = "training.trainingjob"
Choice = tuple[int, str, bool]


def compare_page(request: HttpRequest, version: ModelVersion) -> HttpResponse:
    """Offer other versions to compare with, and show the comparison once some are chosen."""
    asked = {int(key) for key in request.GET.getlist("with") if _is_key(key)}
    others = _others(version)
    chosen = list(others.filter(pk__in=asked))
    if len(chosen) < len(asked - {version.pk}):
        mark_refused(request)
    offered = [*chosen, *_newest(version, others.exclude(pk__in=asked))]
    choices = [(one.pk, f"{one} · {one.algorithm.replace('_', ' ')}", one.pk in asked) for one in offered]
    note = f"Up to {MOST - 1} others that predict {version.model.target or 'the same'}."
    sections: list[Section] = [_picker(f"Compare {version} with", "with", "Versions", choices, note)]
    if chosen:
        contenders = find_contenders(versions=[version.pk, *(one.pk for one in chosen)])
        sections += comparison_sections(compare(contenders))
    return _page(request, ModelVersion, f"Compare {version}", sections, page_url(version), version)


def compare_jobs_page(request: HttpRequest) -> HttpResponse:
    """Offer jobs to compare, and show the comparison once two are chosen."""
    asked = list(dict.fromkeys(int(key) for key in request.GET.getlist("job") if _is_key(key)))
    jobs = TrainingJob.objects.select_related("model", "dataset", "version", "version__model")
    found = {job.pk: job for job in jobs.filter(pk__in=asked)}
    if len(found) < len(asked):
        mark_refused(request)
    chosen = [found[key] for key in asked if key in found]
    same = _same_question(jobs, chosen).exclude(pk__in=found)
    offered = [*chosen, *same[: OFFERED - len(chosen)]]
    choices = [(job.pk, _about(job), job.pk in found) for job in offered]
    about = f" that predict {chosen[0].model.target or 'the same'}" if chosen else ""
    note = f"{LEAST} to {MOST} jobs{about}. A job stands for the version that it made."
    sections: list[Section] = [_picker("Compare jobs", "job", "Jobs", choices, note)]
    if len(chosen) >= LEAST:
        sections += comparison_sections(compare(find_contenders(jobs=[job.pk for job in chosen])))
    return _page(request, TrainingJob, "Compare jobs", sections, list_url(JOBS))


@admin.action(description="Compare", permissions=["view"])
def compare_selected(
    page: PlatformModelAdmin, request: HttpRequest, rows: QuerySet[Any]
) -> HttpResponse | None:
    """Go to the comparison of the selected versions or jobs."""
    keys = list(rows.values_list("pk", flat=True)[: MOST + 1])
    if not LEAST <= len(keys) <= MOST:
        messages.error(request, f"Select {LEAST} to {MOST} to compare.")
        return None
    if rows.model is TrainingJob:
        return HttpResponseRedirect(_address(list_command_url(JOBS, "compare"), "job", keys))
    first, *others = rows.select_related("model")
    if any(_question(one) != _question(first) for one in others):
        messages.error(request, "These predict different columns, so there is nothing to compare.")
        return None
    return HttpResponseRedirect(_address(command_url(first, "compare"), "with", [one.pk for one in others]))


def compare_button(job: TrainingJob) -> Button:
    """Return the way from a job's page to its comparison with others."""
    address = _address(list_command_url(JOBS, "compare"), "job", [job.pk])
    return Button("Compare", address, "compare_arrows")


def _picker(title: str, name: str, legend: str, choices: Sequence[Choice], note: str) -> Fragment:
    context = {"name": name, "legend": legend, "choices": choices, "submit": "Compare"}
    return Fragment(title, "admin/parts/picker.html", context, note=note)


def _page(
    request: HttpRequest,
    of: type[ModelVersion] | type[TrainingJob],
    title: str,
    sections: Sequence[Section],
    back: str,
    row: ModelVersion | None = None,
) -> HttpResponse:
    buttons = [Button("Back", back, "arrow_back")]
    registered = cast(PlatformModelAdmin, console.get_model_admin(of))
    return registered.render(
        request, "admin/pages/object.html", row, title=title, sections=sections, buttons=buttons
    )


def _others(version: ModelVersion) -> QuerySet[ModelVersion]:
    """Return the other versions that answer the same question, the newest first."""
    same = ModelVersion.objects.filter(
        model__problem_type=version.model.problem_type, model__target=version.model.target
    )
    rows = same.exclude(pk=version.pk).select_related("model").defer(*HEAVY_VERSION_COLUMNS)
    return rows.order_by("-created_at")


def _newest(version: ModelVersion, others: QuerySet[ModelVersion]) -> list[ModelVersion]:
    """Return the newest ones, those of the same model first."""
    newest = others[: 4 * OFFERED]
    return sorted(newest, key=lambda one: one.model_id != version.model_id)[:OFFERED]


def _question(version: ModelVersion) -> tuple[str, str]:
    return version.model.problem_type, version.model.target


def _same_question(jobs: QuerySet[TrainingJob], chosen: Sequence[TrainingJob]) -> QuerySet[TrainingJob]:
    """Return the newest jobs that answer what the first chosen one does; all where none is chosen."""
    if not chosen:
        return jobs
    model = chosen[0].model
    return jobs.filter(Q(model__problem_type=model.problem_type) & Q(model__target=model.target))


def _about(job: TrainingJob) -> str:
    state = str(job.version) if job.version is not None else JobState(job.state).label.lower()
    return f"{job} on {job.dataset} · {state}"


def _address(base: str, name: str, keys: Iterable[int]) -> str:
    return f"{base}?{'&'.join(f'{name}={key}' for key in keys)}"


def _is_key(text: str) -> bool:
    return text.isdecimal() and len(text) < 19


version_commands.append(Command("compare", "Compare", Capability.VIEW, "compare_arrows", view=compare_page))
version_actions["compare_selected"] = compare_selected
