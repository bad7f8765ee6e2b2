"""A model's monitoring page: tabs of what is measured, over a period that one chooses."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import Command
from mlplatform.admin.extensions import model_commands
from mlplatform.admin.links import command_url, page_url
from mlplatform.admin.parts import Button, Fragment, Section
from mlplatform.admin.site import console
from mlplatform.errors import InvalidInput
from mlplatform.tenancy.permissions import Capability
from monitoring.services.periods import Period, period_of
from monitoring.services.places import WHOLE, Part
from monitoring.services.slices import demand_slice, slices_named
from registry.models import RegisteredModel

PERIODS: Mapping[str, tuple[str, int]] = {
    "day": ("24 hours", 1),
    "week": ("7 days", 7),
    "month": ("30 days", 30),
    "quarter": ("90 days", 90),
    "year": ("1 year", 365),
}
USUAL = "week"


@dataclass(frozen=True)
class Shown:
    """What the page is asked for, beside the model; ``query`` leads back to it."""

    period: Period
    query: Mapping[str, str]
    part: Part = WHOLE

    def url(self, model: RegisteredModel, **changes: str) -> str:
        """Return the page's address with another choice."""
        kept = {name: value for name, value in {**self.query, **changes}.items() if value}
        return f"{command_url(model, 'monitoring')}?{urlencode(kept)}"


Sections = Callable[[RegisteredModel, Shown], Iterable[Section | None]]


@dataclass(frozen=True)
class Tab:
    """One part of the page."""

    slug: str
    title: str
    place: int
    sections: Sections


tabs: dict[str, Tab] = {}


def tab(slug: str, title: str, *, at: int) -> Callable[[Sections], Sections]:
    """Return a decorator that adds a function of model and choice as a tab of the page, at this place."""

    def add(sections: Sections) -> Sections:
        tabs[slug] = Tab(slug, title, at, sections)
        return sections

    return add


def monitoring_page(request: HttpRequest, model: RegisteredModel) -> HttpResponse:
    """Show one tab over the period of the address; raises InvalidInput for a period that is none."""
    chosen = tabs.get(request.GET.get("tab", ""), tabs["quality"])
    names = ("period", "since", "until", "metric", "column", "value")
    query = {"tab": chosen.slug, **{name: request.GET.get(name, "")[:250] for name in names}}
    shown = Shown(_period(query), query, Part(query["column"], query["value"]))
    demand_slice(model, shown.part)
    found = [section for section in chosen.sections(model, shown) if section is not None]
    page_admin = cast(PlatformModelAdmin, console.get_model_admin(RegisteredModel))
    return page_admin.render(
        request,
        "admin/pages/object.html",
        model,
        title=f"Monitoring of {model}",
        sections=[_choosers(model, shown), *found],
        buttons=[Button("The model", page_url(model), "arrow_back")],
    )


def _period(query: Mapping[str, str]) -> Period:
    since, until = _moment(query["since"]), _moment(query["until"], ends=True)
    if since is None:
        _, days = PERIODS.get(query["period"], PERIODS[USUAL])
        since = (until or timezone.now()) - timedelta(days=days)
    return period_of(since, until)


def _moment(text: str, *, ends: bool = False) -> datetime | None:
    """Read a day, whose end is meant where it ends the period, or a moment; raises InvalidInput."""
    if not text:
        return None
    try:
        day = parse_date(text)
        if day is not None:
            begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
            return begins + timedelta(days=1) if ends else begins
        moment = parse_datetime(text)
        if moment is not None:
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"{text[:40]} is no day. Write it as in 2026-01-31.") from error
    raise InvalidInput(f"{text[:40]} is no day. Write it as in 2026-01-31.")


def _choosers(model: RegisteredModel, shown: Shown) -> Fragment:
    query, own = shown.query, bool(shown.query["since"] or shown.query["until"])
    period = query["period"] if query["period"] in PERIODS else USUAL
    kinds = [
        {"text": one.title, "url": shown.url(model, tab=one.slug), "chosen": one.slug == query["tab"]}
        for one in sorted(tabs.values(), key=lambda one: one.place)
    ]
    lengths = [
        {
            "text": title,
            "url": shown.url(model, period=name, since="", until=""),
            "chosen": not own and name == period,
        }
        for name, (title, _) in PERIODS.items()
    ]
    choosers = [{"title": "What is measured", "choices": kinds}, {"title": "Period", "choices": lengths}]
    choosers += _slices(model, shown)
    since, until = shown.period.since, shown.period.until
    note = f"From {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC, in whole hours."
    kept = {
        name: value for name, value in query.items() if value and name not in {"since", "until", "period"}
    }
    days = {"since": since.date().isoformat(), "until": until.date().isoformat()}
    return Fragment("", "admin/parts/choosers.html", {"choosers": choosers, "kept": kept, **days}, note)


def _slices(model: RegisteredModel, shown: Shown) -> list[dict[str, Any]]:
    """Return a row of links for each sliced column; the first leads back to the whole."""
    whole = {"text": "All rows", "url": shown.url(model, column="", value=""), "chosen": shown.part == WHOLE}
    return [
        {
            "title": f"Slices of {column}",
            "choices": [
                whole,
                *(
                    {
                        "text": f"{column} {name}",
                        "url": shown.url(model, column=column, value=name),
                        "chosen": shown.part == Part(column, name),
                    }
                    for name in names
                ),
            ],
        }
        for column, names in slices_named(model).items()
    ]


model_commands.append(
    Command("monitoring", "Monitoring", Capability.VIEW, "monitoring", view=monitoring_page)
)
