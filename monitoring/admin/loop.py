"""What monitoring adds to a model's page."""

from mlplatform.admin.extensions import model_sections, model_steps, navigation_badges
from mlplatform.admin.links import list_url, page_url
from mlplatform.admin.parts import Link, Section, Step, Table
from mlplatform.admin.render import ago
from monitoring.admin.drift_words import drift_badge, drift_table
from monitoring.admin.policy_words import policy_facts
from monitoring.admin.words import DECISION_TONES, alert_state_badge, quality_chart, severity_badge
from monitoring.models import Alert, DriftReport, PerformanceSnapshot, RetrainingDecision, RetrainingPolicy
from monitoring.models.alert import AlertState
from monitoring.services.drift import latest_report
from registry.models import RegisteredModel

SNAPSHOTS = 60
FEATURES = 12


def open_alerts_badge() -> str:
    """Return the number of open alerts, for the sidebar; nothing where there is none."""
    count = Alert.objects.filter(state=AlertState.OPEN).count()
    return str(count) if count else ""


navigation_badges["monitoring.alert"] = open_alerts_badge


@model_steps.at(70)
def drift_step(model: RegisteredModel) -> Step:
    """Return the drift reports and the newest verdict."""
    rows = DriftReport.objects.filter(model=model)
    newest = rows.first()
    badge = drift_badge(newest)
    return Step(
        "Drift checks",
        "ssid_chart",
        rows.count(),
        f"{badge.text}, {ago(newest.created_at)}" if newest else None,
        page_url(newest) if newest else list_url("monitoring.driftreport"),
        badge.tone,
    )


@model_steps.at(80)
def alerts_step(model: RegisteredModel) -> Step:
    """Return the alerts and how many wait."""
    rows = Alert.objects.filter(model=model)
    waiting = rows.filter(state=AlertState.OPEN).count()
    return Step(
        "Alerts",
        "notifications",
        rows.count(),
        f"{waiting} open" if rows.exists() else None,
        list_url("monitoring.alert", model__id__exact=model.pk),
        "bad" if waiting else "muted",
    )


@model_steps.at(90)
def decisions_step(model: RegisteredModel) -> Step:
    """Return the retraining decisions."""
    rows = RetrainingDecision.objects.filter(model=model)
    newest = rows.first()
    return Step(
        "Decisions",
        "account_tree",
        rows.count(),
        newest and newest.get_state_display().lower(),
        page_url(newest) if newest else list_url("monitoring.retrainingdecision"),
        DECISION_TONES[newest.state] if newest else "muted",
    )


@model_sections.at(5)
def policy_section(model: RegisteredModel) -> Section | None:
    """Return the model's retraining policy, once it has one."""
    policy = RetrainingPolicy.objects.filter(model=model).select_related("model").first()
    return policy_facts(policy) if policy else None


@model_sections.at(30)
def quality_section(model: RegisteredModel) -> Section:
    """Return the realized quality over time."""
    snapshots = PerformanceSnapshot.objects.filter(model=model).select_related("version__model")
    return quality_chart(model, list(snapshots[:SNAPSHOTS]))


@model_sections.at(40)
def drift_section(model: RegisteredModel) -> Section:
    """Return the newest drift report, its highest scores first."""
    report = latest_report(model)
    if report is None:
        hint = "No verdict yet: a check needs a champion and enough predictions."
        return Table("Drift", [], [], empty=hint)
    table = drift_table(report, FEATURES)
    return Table(
        table.title, table.columns, table.rows, table.empty, table.note, Link("The report", page_url(report))
    )


@model_sections.at(50)
def alerts_section(model: RegisteredModel) -> Section:
    """Return the newest alerts."""
    rows = Alert.objects.filter(model=model)[:8]
    return Table(
        "Alerts",
        ["Alert", "Severity", "State", "Last seen"],
        [[row, severity_badge(row), alert_state_badge(row), row.last_seen_at] for row in rows],
        empty="None.",
        more=Link("All", list_url("monitoring.alert", model__id__exact=model.pk)),
    )
