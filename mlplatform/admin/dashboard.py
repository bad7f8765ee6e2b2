"""The first page: what needs attention today, and how each model is doing."""

from typing import Any

from django.http import HttpRequest

from mlplatform.admin.extensions import attention, dashboard_sections, first_steps
from mlplatform.admin.parts import Notice
from mlplatform.tenancy.permissions import can

URGENCY = {"bad": 0, "warn": 1, "info": 2, "muted": 3, "good": 4}


def dashboard_context(request: HttpRequest) -> dict[str, Any]:
    """Collect what the parts of the platform say; the first steps are shown until all are done."""
    steps = [step() for step in first_steps]
    beginner = not all(step.done for step in steps)
    return {
        "notices": notices(),
        "first_steps": [(step, can(request.user, step.capability)) for step in steps] if beginner else [],
        "sections": [section for make in dashboard_sections if (section := make(request)) is not None],
    }


def notices() -> list[Notice]:
    """Return everything that needs attention, the most urgent first."""
    found = [notice for source in attention for notice in source()]
    return sorted(found, key=lambda notice: URGENCY[notice.tone])
