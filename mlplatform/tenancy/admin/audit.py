"""The audit trail: read, searched and filtered, never changed."""

from collections.abc import Iterable

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.links import has_page, page_url
from mlplatform.admin.parts import Facts, Link, Section
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.models import AuditEvent, TenantModel


def object_of(event: AuditEvent) -> Link | str:
    """Return a link to the object where it still exists in this tenant, else its name at the time."""
    try:
        model = apps.get_model(event.object_type)
    except LookupError:
        return event.object_label
    if not issubclass(model, TenantModel):
        return event.object_label
    row = model.objects.filter(pk=event.object_id).first()
    return (
        Link(event.object_label, page_url(row)) if row is not None and has_page(row) else event.object_label
    )


@admin.register(AuditEvent, site=console)
class AuditEventAdmin(PlatformModelAdmin):
    """Who did what to which object, when, from where."""

    list_display = [
        cell("at", "When"),
        "action",
        cell("actor_label", "Who"),
        "object_label",
        "details_shown",
        "address",
    ]
    search_fields = ["actor_label", "action", "object_label", "object_id", "request_id"]
    list_filter = ["action", "actor_kind", "object_type"]
    date_hierarchy = "at"
    empty_title = "Nothing has been recorded yet"
    empty_hint = "Every change to this tenant's data, models, members and keys appears here."

    @admin.display(description="Details")
    def details_shown(self, event: AuditEvent) -> str:
        """The event's details as a small table."""
        return show(event.details)

    def sections(self, request: HttpRequest, row: AuditEvent) -> Iterable[Section | None]:
        """Return everything the event tells."""
        yield Facts(
            row.action,
            [
                ("When", row.at),
                ("Who", f"{row.actor_label} ({row.actor_kind.replace('_', ' ')})"),
                ("Object", object_of(row)),
                ("Kind", row.object_type),
                ("Details", row.details),
                ("From address", row.address),
                ("Request", row.request_id),
            ],
            wide=True,
        )
