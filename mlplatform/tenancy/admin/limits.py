"""What the tenant may use, and how much of it is used."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.parts import Badge, Lines, Meter, Section, Table, Tone
from mlplatform.admin.render import size
from mlplatform.admin.site import console
from mlplatform.tenancy.models import Usage
from mlplatform.tenancy.services.limits import LimitUse, limits_in_use

NOTE = (
    "Requests are those of all API keys in the present minute; people are counted apart, so that a program "
    "that runs wild never locks them out. A platform administrator sets the limits."
)


@admin.register(Usage, site=console)
class UsageAdmin(PlatformModelAdmin):
    """One page in place of a list: a tenant has one row."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show every limit of the tenant."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self.render(
            request, "admin/pages/object.html", title="Limits", sections=[limits_table()], buttons=[]
        )

    def sections(self, request: HttpRequest, row: Usage) -> Iterable[Section | None]:
        """Show the same on the row's own page, to which the trail links."""
        yield limits_table()


def limits_table() -> Table:
    """Return the active tenant's limits as a section of a page."""
    columns = ["Limit", "In use", "Allowed", "Set by"]
    return Table("Limits", columns, [_row(one) for one in limits_in_use()], note=NOTE)


def _row(one: LimitUse) -> Sequence[Any]:
    in_bytes = one.kind.name == "storage_bytes"
    used, limit = (size(one.used), size(one.limit)) if in_bytes else (one.used, one.limit)
    share = f"{one.share:.0%}" if not one.used or one.share >= 0.01 else "under 1%"
    return [
        Lines(one.kind.title.removesuffix(" in bytes"), [one.kind.help]),
        Lines(used, [Meter(one.share, share, _tone(one.share))]),
        limit,
        Badge("This tenant's own", "info") if one.own else "Default",
    ]


def _tone(share: float) -> Tone:
    if share >= 1:
        return "bad"
    return "warn" if share >= 0.8 else "good"
