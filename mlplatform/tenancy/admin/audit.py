"""The audit trail: read, searched, filtered and taken out, never changed."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any, cast

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch
from django.utils.timezone import make_aware
from unfold.contrib.filters.admin import FieldTextFilter, RangeDateFilter
from unfold.utils import parse_date_str

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.changes import changes_in_short, changes_table
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.forms import ConsoleForm, bound
from mlplatform.admin.links import has_page, history_url, page_url
from mlplatform.admin.parts import Facts, Link, Section
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.downloads import as_download
from mlplatform.tenancy.models import AuditEvent, TenantModel
from mlplatform.tenancy.permissions import Capability
from mlplatform.tenancy.services.audit_export import ExportFormat, export_trail


class ExportForm(ConsoleForm):
    """Which part of the trail, and how."""

    form = forms.ChoiceField(
        label="Format",
        choices=[(ExportFormat.CSV, "CSV, for a spreadsheet"), (ExportFormat.JSONL, "JSON Lines, for proof")],
    )
    since = forms.DateField(required=False, help_text="First day (UTC), for example 2026-01-31.")
    until = forms.DateField(required=False, help_text="Last day (UTC).")


class PeriodFilter(RangeDateFilter):
    """Whole days (UTC), the last one included; the theme's own filter knows no time zone."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        """Return the events of the days."""
        days = {name: parse_date_str(str(value)) for name, value in self.used_parameters.items()}
        return within(queryset, days.get("at_from"), days.get("at_to"))


def within(events: QuerySet[AuditEvent], since: date | None, until: date | None) -> QuerySet[AuditEvent]:
    """Return the events from the first day to the last (UTC)."""
    if since:
        events = events.filter(at__gte=make_aware(datetime.combine(since, time.min)))
    if until:
        events = events.filter(at__lte=make_aware(datetime.combine(until, time.max)))
    return events


def object_of(event: AuditEvent) -> Link | str:
    """Return a link to the object where it still exists in this tenant, else its name at the time."""
    try:
        model = apps.get_model(event.object_type)
    except (LookupError, ValueError):  # a table that is gone, or no table at all
        return event.object_label
    if not issubclass(model, TenantModel) or not event.object_id:
        return event.object_label
    try:
        row = model.objects.filter(pk=event.object_here).first()
    except (ValidationError, ValueError):  # the table's key has another form today
        return event.object_label
    return (
        Link(event.object_label, page_url(row)) if row is not None and has_page(row) else event.object_label
    )


def history_link(event: AuditEvent) -> Link | None:
    """Return a link to all that the trail tells of the object, whether it is still there or not."""
    if not event.object_id:
        return None
    try:
        return Link("Everything about this object", history_url(event.object_type, event.object_id))
    except NoReverseMatch:  # no kind of object that has pages
        return None


@admin.register(AuditEvent, site=console)
class AuditEventAdmin(PlatformModelAdmin):
    """Who did what to which object, when, from where."""

    list_display = [
        cell("at", "When"),
        "action",
        "who",
        "object_label",
        "changes_shown",
        "address",
    ]
    search_fields = ["actor_label", "action", "object_label", "object_id", "request_id", "address"]
    search_help_text = "Who, what, the object's name or number, the request's id, the address."
    list_filter = [
        ("at", PeriodFilter),
        "action",
        "actor_kind",
        "object_type",
        ("actor_label", FieldTextFilter),
        ("object_id", FieldTextFilter),
        ("request_id", FieldTextFilter),
        ("address", FieldTextFilter),
    ]
    list_filter_submit = True

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Look for a part of an address only: PostgreSQL compares addresses with addresses alone."""
        if lookup.startswith("address") and lookup != "address__icontains":
            return False
        return bool(super().lookup_allowed(lookup, value, request))

    date_hierarchy = "at"
    has_history = False
    empty_title = "Nothing has been recorded yet"
    empty_hint = "Every change to this tenant's data, models, members and keys appears here."
    list_commands = (Command("export", "Export", Capability.ADMIN, "download", keeps_filters=True),)

    @admin.display(description="Who", ordering="actor_label")
    def who(self, event: AuditEvent) -> str:
        """Who did it, and what sort of actor that is."""
        return event.actor

    @admin.display(description="Changes")
    def changes_shown(self, event: AuditEvent) -> str:
        """The first of the fields that the event changed; its page has them all."""
        return show(changes_in_short(event.before, event.after))

    def sections(self, request: HttpRequest, row: AuditEvent) -> Iterable[Section | None]:
        """Return everything the event tells."""
        yield Facts(
            row.action,
            [
                ("When", row.at),
                ("Who", f"{row.actor_label} ({row.actor_kind.replace('_', ' ')})"),
                ("Object", object_of(row)),
                ("Its history", history_link(row)),
                ("Kind", row.object_type),
                ("Details", row.details),
                ("From address", row.address),
                ("Request", row.request_id),
                ("Number in the trail", row.sequence),
                ("Seal", row.hash),
                ("Seal before it", row.prev_hash),
            ],
            wide=True,
        )
        yield changes_table(row.before, row.after)

    def _listed(self, request: HttpRequest) -> QuerySet[AuditEvent]:
        """Return the events that the list shows under the address's filters."""
        try:
            found: QuerySet[AuditEvent] = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters as error:
            raise InvalidInput("The list knows no such filter. Go back and filter again.") from error
        return found

    def export(self, request: HttpRequest) -> HttpResponse:
        """Ask for the format and the days, then send the file."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            days = {name: data[name] for name in ("since", "until") if data[name]}
            chosen = {**request.GET.dict(), **days}
            events = within(self._listed(request), data["since"], data["until"])
            export = export_trail(events=events, form=data["form"], by=by, chosen=chosen)
            return cast(HttpResponse, as_download(export))  # streamed, which a view may answer as well

        filtered = " Only what the list's filters and search choose is exported." if request.GET else ""
        intro = f"The export itself becomes an entry. How to check a trail: docs/security.md.{filtered}"
        page = FormPage("Export the audit trail", "Download", intro=intro)
        return self.form_page(request, page=page, form=bound(ExportForm, request), submit=submit)
