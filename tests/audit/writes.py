"""Every way to change something, found by itself: in the API's address list, in the console's registry."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from mlplatform.addresses import is_for_programs
from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.site import console

METHODS = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Write:
    """What to send where so that it works, and the action that the trail must then tell of."""

    action: str
    address: str
    body: dict[str, Any] = field(default_factory=dict)
    multipart: bool = False
    lines: str = ""  # a body of lines, in place of the names and values


def api_ways() -> set[str]:
    """Return every method of the API that may change something, with the name of its address."""
    found = set()
    for raw, pattern in _patterns(get_resolver()):
        if is_for_programs(f"/{raw}"):
            view: Any = getattr(pattern.callback, "cls", None)
            actions = getattr(pattern.callback, "actions", None)
            offered = actions or {name for name in view.http_method_names if hasattr(view, name)}
            found |= {f"{method} {pattern.name}" for method in METHODS if method.lower() in offered}
    return found


def console_ways() -> set[str]:
    """Return every command, action and adding page of the console, with its table."""
    found = set()
    for table, page in console._registry.items():
        assert isinstance(page, PlatformModelAdmin)
        slugs = [one.slug for one in (*page.all_commands(), *page.list_commands)]
        names = [*slugs, *(page.actions or ()), *(["add"] if page.can_add else [])]
        found |= {f"{table._meta.label_lower} {name}" for name in names}
    return found


def _patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern, prefix + str(pattern.pattern))
        else:
            yield prefix + str(pattern.pattern), pattern
