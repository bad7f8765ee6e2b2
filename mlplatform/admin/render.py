"""How values look on a page. Everything that comes from people or data is escaped here."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Model
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from mlplatform.admin.links import has_page, page_url
from mlplatform.admin.parts import Badge, Lines, Link, Meter

NOTHING = mark_safe('<span class="c-nothing">–</span>')
LONGEST_LIST = 20


def show(value: Any) -> SafeString:
    """Return the value as people read it: numbers rounded, times in UTC with their age, tables for dicts."""
    if value is None or value == "":
        return NOTHING
    for kind, renderer in RENDERERS:
        if isinstance(value, kind):
            return renderer(value)
    return conditional_escape(str(value))


def number(value: float) -> str:
    """Return a number rounded sensibly: thousands apart, four significant digits below that."""
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return str(value)
    if value and abs(value) < 0.0001:
        return f"{value:.2e}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    digits = 4 if abs(value) < 10 else 2
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") or "0"


def ago(moment: datetime) -> str:
    """Return the distance to now in words: ``3 min ago``, ``in 2 h``."""
    gap = timezone.now() - moment
    words = duration(abs(gap))
    if words == "0 s":
        return "just now"
    return f"{words} ago" if gap >= timedelta(0) else f"in {words}"


def duration(gap: timedelta) -> str:
    """Return a length of time in its largest sensible unit."""
    seconds = int(gap.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size * (2 if unit == "d" else 1):
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def size(count: int) -> str:
    """Return a number of bytes in B, kB, MB or GB."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def words(name: str) -> str:
    """Return a technical name as words: ``roc_auc`` becomes ``roc auc``."""
    return str(name).replace("_", " ")


def _safe(value: SafeString) -> SafeString:
    return value


def _switch(value: bool) -> SafeString:
    return conditional_escape("Yes" if value else "No")


def _number(value: float) -> SafeString:
    return format_html('<span class="c-number">{}</span>', number(value))


def _moment(value: datetime) -> SafeString:
    return format_html(
        '<time class="c-time" datetime="{}" title="{} UTC">{} UTC <span>{}</span></time>',
        value.isoformat(),
        f"{value:%Y-%m-%d %H:%M:%S}",
        f"{value:%Y-%m-%d %H:%M}",
        ago(value),
    )


def _badge(value: Badge) -> SafeString:
    return format_html('<span class="c-badge c-{}">{}</span>', value.tone, value.text)


def _link(value: Link) -> SafeString:
    return format_html('<a class="c-link" href="{}">{}</a>', value.url, show(value.text))


def _meter(value: Meter) -> SafeString:
    share = min(max(value.share, 0.0), 1.0) * 100
    return format_html(
        '<span class="c-meter"><svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="c-track" width="100" height="6" rx="3"/>'
        '<rect class="c-fill c-{}" width="{}" height="6" rx="3"/></svg><span>{}</span></span>',
        value.tone,
        f"{share:.1f}",
        value.text or f"{share:.0f} %",
    )


def _lines(value: Lines) -> SafeString:
    rest = format_html_join("", '<span class="c-sub">{}</span>', ((show(item),) for item in value.rest))
    return format_html("{}{}", show(value.first), rest)


def _model(value: Model) -> SafeString:
    return _link(Link(str(value), page_url(value))) if has_page(value) else conditional_escape(str(value))


def _mapping(value: Mapping[str, Any]) -> SafeString:
    rows = ((words(name), show(item)) for name, item in value.items())
    if not value:
        return NOTHING
    return format_html(
        '<table class="c-dict"><tbody>{}</tbody></table>',
        format_html_join("", "<tr><th scope='row'>{}</th><td>{}</td></tr>", rows),
    )


def _sequence(value: Sequence[Any]) -> SafeString:
    items = list(value)
    if not items:
        return NOTHING
    if all(isinstance(item, Mapping) for item in items):
        return _mappings(items)
    shown = format_html_join(", ", "{}", ((show(item),) for item in items[:LONGEST_LIST]))
    left = len(items) - LONGEST_LIST
    return format_html("{} and {} more", shown, left) if left > 0 else shown


def _mappings(items: Sequence[Mapping[str, Any]]) -> SafeString:
    names = list(dict.fromkeys(name for item in items for name in item))
    head = format_html_join("", "<th scope='col'>{}</th>", ((words(name),) for name in names))
    body = format_html_join(
        "", "<tr>{}</tr>", ((_cells(item.get(name) for name in names),) for item in items)
    )
    return format_html(
        '<table class="c-dict"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>', head, body
    )


def _cells(values: Iterable[Any]) -> SafeString:
    return format_html_join("", "<td>{}</td>", ((show(value),) for value in values))


RENDERERS: list[tuple[type[Any] | tuple[type[Any], ...], Callable[[Any], SafeString]]] = [
    (SafeString, _safe),
    (bool, _switch),
    ((int, float), _number),
    (datetime, _moment),
    (date, lambda value: conditional_escape(value.isoformat())),
    (Badge, _badge),
    (Link, _link),
    (Meter, _meter),
    (Lines, _lines),
    (Model, _model),
    (Mapping, _mapping),
    ((list, tuple), _sequence),
]
