"""Rebuilding a version, on its page."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from mlplatform.admin.commands import Command
from mlplatform.admin.extensions import version_commands, version_sections
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Badge, Section, Table
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability
from registry.models import ModelVersion
from training.admin.words import state_badge
from training.models import TrainingJob
from training.services.reproducing import CLOSE, DIFFERENT, IDENTICAL, Verdict
from training.tasks import submit_reproduction

BADGES = {
    IDENTICAL: Badge("The same to the last bit", "good"),
    CLOSE: Badge("The same within the tolerance", "good"),
    DIFFERENT: Badge("Different", "bad"),
}


@version_sections.at(90)
def reproductions(version: ModelVersion) -> Iterable[Section]:
    """Yield how the version compared each time that it was built again."""
    jobs = list(version.reproductions.all()[:20])
    if jobs:
        yield Table(
            "Built again",
            ["Job", "When", "Verdict", "In words"],
            [[job, job.created_at, *verdict_of(job)] for job in jobs],
            note="From the same data, settings and seed; both models answer the rows of the hold-out.",
        )


def verdict_of(job: TrainingJob) -> tuple[Any, str | None]:
    """Return the verdict of a job that rebuilt a version: as a badge, and in words."""
    if job.verdict is None:
        return state_badge(job), job.error or None
    verdict = Verdict(**job.verdict)
    return BADGES[verdict.result], " ".join([verdict.sentence, *(f"{one}." for one in verdict.environment)])


def was_trained_here(version: ModelVersion) -> bool:
    """Tell whether there is a record to build the version from."""
    return TrainingJob.objects.filter(version=version).exists()


def reproduce(request: HttpRequest, version: ModelVersion) -> HttpResponse:
    """Queue the job that builds the version again."""
    job = submit_reproduction(version=version, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
    messages.success(request, f"A job builds {version} again and compares the two; this page follows it.")
    return HttpResponseRedirect(page_url(job))


version_commands.append(
    Command(
        "reproduce",
        "Reproduce",
        Capability.TRAIN,
        "verified",
        post=True,
        available=was_trained_here,
        view=reproduce,
    )
)
