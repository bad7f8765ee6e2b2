"""Alerts: looked after, and resolved."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import RelatedDropdownFilter

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.forms import ReasonForm, bound
from mlplatform.admin.parts import Facts, Section, Table
from mlplatform.admin.render import show, words
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability
from monitoring.admin.words import alert_state_badge, decision_badge, severity_badge
from monitoring.models import Alert, DriftReport, PerformanceSnapshot
from monitoring.models.alert import AlertState, Severity
from monitoring.services.alerts import acknowledge, resolve


def evidence_rows(alert: Alert) -> list[tuple[str, Any]]:
    """Return the figures behind the alert, with links to the report they come from."""
    found = dict(alert.evidence)
    reports: dict[str, type[DriftReport] | type[PerformanceSnapshot]] = {
        "report": DriftReport,
        "snapshot": PerformanceSnapshot,
    }
    for name, table in reports.items():
        if name in found:
            found[name] = table.objects.filter(pk=found[name]).first()
    return [(words(name).capitalize(), value) for name, value in found.items()]


@admin.register(Alert, site=console)
class AlertAdmin(PlatformModelAdmin):
    """What a person should look at; the open and the grave ones first."""

    list_display = [
        "title",
        "severity_shown",
        "state_shown",
        cell("model", "Model"),
        cell("version", "Version"),
        cell("last_seen_at", "Last seen"),
        "occurrences",
    ]
    list_select_related = ["model", "version__model"]
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
        Command(
            "resolve",
            "Resolve",
            Capability.MONITOR,
            "check",
            available=lambda alert: alert.state != AlertState.RESOLVED,
        ),
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
                ("Seen", "once" if row.occurrences == 1 else f"{row.occurrences} times"),
            ],
        )
        yield Facts(
            "When",
            [
                ("Raised", row.created_at),
                ("Last seen", row.last_seen_at),
                ("Acknowledged", row.acknowledged_at),
                ("By", row.acknowledged_by),
                ("Resolved", row.resolved_at),
                ("Resolved by", row.resolved_by),
            ],
        )
        yield Facts("Evidence", evidence_rows(row), wide=True)
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

    def resolve(self, request: HttpRequest, alert: Alert) -> HttpResponse:
        """Ask why, then close it."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            resolve(alert=alert, by=by, reason=data["reason"])
            return self.done(request, "The alert is resolved.", alert)

        intro = "Its rule stays silent for its cooldown, then raises it again if the condition still holds."
        if alert.cause:
            intro = (
                "Once the file is whole again it is resolved by itself; while it is not, it is raised again."
            )
        page = FormPage(f"Resolve “{alert.title}”?", "Resolve", intro=intro)
        return self.form_page(request, page=page, form=bound(ReasonForm, request), submit=submit, row=alert)
