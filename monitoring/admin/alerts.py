"""Alerts: looked after, and resolved."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.contrib.filters.admin import RelatedDropdownFilter

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.forms import ConsoleForm, ReasonForm, bound
from mlplatform.admin.parts import Facts, Section, Table
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import Membership
from mlplatform.tenancy.permissions import Capability
from monitoring.admin.evidence import evidence_sections
from monitoring.admin.words import alert_state_badge, decision_badge, delivery_badge, severity_badge
from monitoring.models import Alert, Delivery
from monitoring.models.alert import FILE_CAUSES, AlertState, Severity
from monitoring.services.alert_care import assign, possible_owners, snooze, wake
from monitoring.services.alerts import acknowledge, resolve

SLEEPS = [(1, "an hour"), (8, "8 hours"), (24, "a day"), (72, "3 days"), (168, "a week"), (720, "30 days")]


class SnoozeForm(ConsoleForm):
    """For how long nobody is told, and why."""

    hours = forms.TypedChoiceField(choices=SLEEPS, coerce=int, label="For", initial=8)
    reason = forms.CharField(max_length=500, required=False, help_text="Kept in the history.")


class OwnerForm(ConsoleForm):
    """Who looks after the alert."""

    owner = forms.TypedChoiceField(coerce=int, empty_value=None, required=False)

    def __init__(self, *args: Any, members: list[Membership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Nobody"), *((one.pk, one.email) for one in members)]
        self.fields["owner"].choices = choices  # type: ignore[attr-defined]  # a choice field


def _told(alert: Alert) -> Table:
    """Return which messages told of the alert."""
    since = Delivery.objects.filter(model=alert.model_id, created_at__gte=alert.created_at)
    rows = [
        [one.channel, one.get_kind_display(), delivery_badge(one), one.created_at, one]
        for one in since.select_related("channel")[:200]
        if alert.pk in one.alerts
    ]
    columns = ["Channel", "What", "State", "When", "Message"]
    return Table("Who was told", columns, rows, empty="Nobody: no channel carries such alerts.")


def _sleep(alert: Alert) -> list[tuple[str, Any]]:
    return [
        ("Snoozed until", alert.snoozed_until),
        ("Snoozed by", alert.snoozed_by),
        ("Snoozed because", alert.snooze_reason or None),
    ]


def _unresolved(alert: Alert) -> bool:
    return alert.state != AlertState.RESOLVED


@admin.register(Alert, site=console)
class AlertAdmin(PlatformModelAdmin):
    """What a person should look at; the open and the grave ones first."""

    list_display = [
        "title",
        "severity_shown",
        "state_shown",
        cell("model", "Model"),
        cell("version", "Version"),
        cell("owner.email", "Owner", "owner__user__email"),
        cell("last_seen_at", "Last seen"),
        "occurrences",
    ]
    list_select_related = ["model", "version__model", "owner__user"]
    list_filter = ["state", "severity", ("model", RelatedDropdownFilter), "created_at"]
    search_fields = ["title", "message", "model__name"]
    of_a_model = True
    actions = ["acknowledge_selected", "resolve_selected"]
    empty_title = "No alerts"
    empty_hint = (
        "Rules raise an alert when a deployed model's inputs drift or its quality falls; a damaged file of a "
        "version raises one, too."
    )
    commands = (
        Command(
            "acknowledge",
            "Acknowledge",
            Capability.MONITOR,
            "visibility",
            "primary",
            post=True,
            available=lambda alert: alert.state == AlertState.OPEN,
        ),
        Command("snooze", "Snooze", Capability.MONITOR, "snooze", available=_unresolved),
        Command(
            "wake",
            "End the snooze",
            Capability.MONITOR,
            "alarm",
            post=True,
            available=lambda alert: _unresolved(alert) and alert.is_snoozed,
        ),
        Command("assign", "Assign", Capability.MONITOR, "person", available=_unresolved),
        Command("resolve", "Resolve", Capability.MONITOR, "check", available=_unresolved),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alert]:
        """Put the unresolved first, the grave before the light."""
        closed = When(state=AlertState.RESOLVED, then=Value(9))
        grades = [
            When(severity=severity, then=Value(place))
            for place, severity in enumerate((Severity.CRITICAL, Severity.WARNING, Severity.INFO))
        ]
        urgency = Case(closed, *grades, default=Value(8), output_field=IntegerField())
        rows: QuerySet[Alert] = Alert.objects.annotate(urgency=urgency)
        return rows.order_by(*self.get_ordering(request))

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        """Order by urgency, then age."""
        return ("urgency", "-created_at")

    @admin.display(description="Severity", ordering="severity")
    def severity_shown(self, alert: Alert) -> str:
        """How urgent it is."""
        return show(severity_badge(alert))

    @admin.display(description="State", ordering="state")
    def state_shown(self, alert: Alert) -> str:
        """Where it stands."""
        return show(alert_state_badge(alert))

    @admin.action(description="Acknowledge", permissions=["monitor"])
    def acknowledge_selected(self, request: HttpRequest, alerts: QuerySet[Alert]) -> None:
        """Note that somebody looks after them."""
        self.for_each(
            request,
            alerts,
            Capability.MONITOR,
            lambda alert, by: acknowledge(alert=alert, by=by),
            "acknowledged",
        )

    @admin.action(description="Resolve", permissions=["monitor"])
    def resolve_selected(self, request: HttpRequest, alerts: QuerySet[Alert]) -> None:
        """Close them."""
        self.for_each(
            request, alerts, Capability.MONITOR, lambda alert, by: resolve(alert=alert, by=by), "resolved"
        )

    def sections(self, request: HttpRequest, row: Alert) -> Iterable[Section | None]:
        """Return what happened, the evidence, and what was decided because of it."""
        yield Facts(
            row.title,
            [
                ("Severity", severity_badge(row)),
                ("State", alert_state_badge(row)),
                ("What", row.message),
                ("Model", row.model),
                ("Version", row.version),
                ("Raised by", row.rule or row.get_cause_display() or None),
                ("Because", row.get_cause_display() if row.rule and row.cause else None),
                ("Owner", row.owner.email if row.owner else "nobody"),
                ("Seen", "once" if row.occurrences == 1 else f"{row.occurrences} times"),
            ],
        )
        yield Facts(
            "When",
            [
                ("Raised", row.created_at),
                ("Last seen", row.last_seen_at),
                ("Became graver", row.escalated_at),
                *(_sleep(row) if row.is_snoozed else []),
                ("Acknowledged", row.acknowledged_at),
                ("By", row.acknowledged_by),
                ("Resolved", row.resolved_at),
                ("Resolved by", row.resolved_by),
            ],
        )
        yield from evidence_sections(row)
        if self.may(request, Capability.ADMIN):
            yield _told(row)
        yield Table(
            "What the policy decided",
            ["Decision", "Verdict", "Outcome"],
            [[one, decision_badge(one), one.outcome] for one in row.decisions.all()],
            empty="Nothing: no policy has acted on this alert.",
        )

    def acknowledge(self, request: HttpRequest, alert: Alert) -> HttpResponse:
        """Note that somebody looks after it."""
        acknowledge(alert=alert, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, "You look after this alert now.", alert)

    def snooze(self, request: HttpRequest, alert: Alert) -> HttpResponse:
        """Ask for how long, then tell nobody of it until then."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            until = timezone.now() + timedelta(hours=data["hours"])
            snooze(alert=alert, until=until, reason=data["reason"], by=by)
            return self.done(request, "Nobody is told of the alert until then.", alert)

        intro = "Checks go on. Where the condition ends, the alert is resolved by itself."
        page = FormPage(f"Snooze “{alert.title}”?", "Snooze", intro=intro)
        return self.form_page(request, page=page, form=bound(SnoozeForm, request), submit=submit, row=alert)

    def wake(self, request: HttpRequest, alert: Alert) -> HttpResponse:
        """End its sleep."""
        wake(alert=alert, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, "The alert is awake again.", alert)

    def assign(self, request: HttpRequest, alert: Alert) -> HttpResponse:
        """Ask who looks after it."""
        members = possible_owners(alert)

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            owner = next((one for one in members if one.pk == data["owner"]), None)
            assign(alert=alert, owner=owner, by=by)
            return self.done(request, f"{owner.email if owner else 'Nobody'} looks after the alert.", alert)

        form = bound(OwnerForm, request, members=members, initial={"owner": alert.owner_id or ""})
        page = FormPage(f"Who looks after “{alert.title}”?", "Assign")
        return self.form_page(request, page=page, form=form, submit=submit, row=alert)

    def resolve(self, request: HttpRequest, alert: Alert) -> HttpResponse:
        """Ask why, then close it."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            resolve(alert=alert, by=by, reason=data["reason"])
            return self.done(request, "The alert is resolved.", alert)

        intro = "Its rule stays silent for its cooldown, then raises it again if the condition still holds."
        if alert.cause in FILE_CAUSES:
            intro = (
                "Once the file is whole again it is resolved by itself; while it is not, it is raised again."
            )
        page = FormPage(f"Resolve “{alert.title}”?", "Resolve", intro=intro)
        return self.form_page(request, page=page, form=bound(ReasonForm, request), submit=submit, row=alert)
