"""The page that tells how the models, and to its operator the installation, were over the last 24 hours."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from mlplatform.admin.extensions import console_pages
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Badge, Lines, Link, Section, Table, Tone
from mlplatform.admin.render import ago
from mlplatform.admin.site import console
from mlplatform.pictures import Cell, strip
from monitoring.models.health import HealthState
from monitoring.services.health_spans import EVERY, GRAVITY, SHOWN, Strip
from monitoring.services.model_health import health_of_models
from monitoring.services.system_health import health_of_system
from registry.models import RegisteredModel

TONES: dict[HealthState | None, Tone] = {
    HealthState.GOOD: "good",
    HealthState.IDLE: "muted",
    HealthState.WARN: "warn",
    HealthState.BAD: "bad",
}
NOTE = (
    "Looked at every five minutes: open alerts, requests that were not answered, quality, drift, damaged "
    "files, and whether anybody asks. Pale where nothing was written down, because the scheduler or the "
    "workers stood still."
)
PARTS = {
    "database": "Database",
    "migrations": "Tables of the database",
    "storage": "Storage of files",
    "broker": "Broker of messages",
    "scheduler": "Scheduler",
    "workers": "Workers",
}


def health_page(request: HttpRequest) -> HttpResponse:
    """Show each model that one may see; to platform administrators the installation as well."""
    owner = getattr(request.user, "is_superuser", False)
    words = {"title": "Health", "sections": list(_sections(owner)), "buttons": []}
    return TemplateResponse(request, "admin/pages/object.html", {**console.each_context(request), **words})


console_pages["health"] = health_page


def _sections(owner: bool) -> Iterator[Section]:
    now = timezone.now()
    found = sorted(health_of_models(now), key=lambda one: -_gravity(one[1]))
    yield _table("Models", "Model", ((_model(model), model.name, one) for model, one in found), NOTE)
    if owner:
        parts = ((PARTS[part], PARTS[part], one) for part, one in health_of_system(now))
        yield _table("The installation", "Part", parts, "For platform administrators.")


def _table(title: str, what: str, rows: Iterable[tuple[Any, str, Strip]], note: str) -> Table:
    return Table(
        title,
        [what, "Now", "What was found", "The last 24 hours"],
        [[shown, _state(one), _words(one), picture(name, one)] for shown, name, one in rows],
        empty="There is no model yet.",
        note=note,
    )


def _model(model: RegisteredModel) -> Link:
    return Link(model.name, page_url(model))


def _gravity(found: Strip) -> int:
    return -1 if found.now is None else GRAVITY[HealthState(found.now.state)]


def _state(found: Strip) -> Badge:
    if found.now is None:
        return Badge("Not known", "muted")
    state = HealthState(found.now.state)
    return Badge(state.label, TONES[state])


def _words(found: Strip) -> Any:
    if found.now is None:
        return "Nothing was written down of late."
    return Lines(found.now.words or "Nothing is amiss.", [f"looked at {ago(found.now.ends)}"])


def picture(name: str, found: Strip) -> SafeString:
    """Return the strip of one model or part, with words for whoever cannot see it."""
    drawn = strip(
        list(_cells(found)),
        title=f"How {name} was over the last 24 hours",
        left=f"{SHOWN.total_seconds() / 3600:.0f} hours ago",
        right="now",
        description=_told(found),
    )
    return mark_safe(drawn)  # noqa: S308  # every word in it is escaped


def _cells(found: Strip) -> Iterator[Cell]:
    """Yield the cells; those of a run that is alike say the same, and so are drawn as one."""
    for (state, words), run in groupby(found.cells, key=lambda one: (one.state, one.words)):
        inside = list(run)
        since, until = inside[0].begins, inside[-1].begins + EVERY
        label = "Nothing was written down" if state is None else f"{state.label}. {words}".strip()
        told = f"{since:%H:%M} to {until:%H:%M} UTC: {label}"
        yield from [Cell(TONES.get(state, "none"), told)] * len(inside)


def _told(found: Strip) -> str:
    known = [one for one in found.cells if one.state is not None]
    parts = [f"{_share(known, state)} {state.label.lower()}" for state in HealthState if _share(known, state)]
    return f"Of {len(known)} times five minutes: {', '.join(parts) or 'nothing is known'}."


def _share(cells: Sequence[Any], state: HealthState) -> int:
    return sum(one.state == state for one in cells)
