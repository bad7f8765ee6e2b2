"""What monitoring adds to the dashboard: open alerts, realized quality, drift."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from django.db.models import Max, Q
from django.utils import timezone

from mlplatform.admin.extensions import attention, model_columns
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Lines, Link, Notice
from mlplatform.admin.render import ago
from monitoring.admin.drift_words import drift_badge
from monitoring.admin.words import SEVERITY_TONES
from monitoring.models import Alert, DriftReport, PerformanceSnapshot, RetrainingDecision
from monitoring.models.alert import AlertState, Severity
from monitoring.models.policy import DecisionState
from registry.admin.words import primary_metric
from registry.models import RegisteredModel
from registry.models.deployment import CHAMPION

TOLD_FOR = timedelta(days=7)
# What an earlier version did says nothing about the one that answers now.
OF_CHAMPION = Q(version__aliases__name=CHAMPION)
Row = TypeVar("Row", Alert, DriftReport, PerformanceSnapshot)


@attention.at(10)
def open_alerts() -> Iterable[Notice]:
    """Yield the alerts that nobody looks after yet."""
    for alert in Alert.objects.filter(state=AlertState.OPEN).select_related("model")[:20]:
        title = f"{Severity(alert.severity).label}: {alert.title}"
        yield Notice(
            SEVERITY_TONES[alert.severity],
            title,
            f"{alert.model}, {ago(alert.last_seen_at)}",
            page_url(alert),
        )


@attention.at(20)
def versions_taken_back() -> Iterable[Notice]:
    """Yield the versions that a policy has taken back lately."""
    since = timezone.now() - TOLD_FOR
    taken = RetrainingDecision.objects.filter(state=DecisionState.ROLLED_BACK, created_at__gt=since)
    for decision in taken.select_related("model")[:20]:
        title = f"{decision.model} was rolled back"
        yield Notice("bad", title, f"{decision.reason} {ago(decision.created_at)}", page_url(decision))


@model_columns.at(40, "Realized")
def realized_cells(models: Sequence[RegisteredModel]) -> Mapping[int, Any]:
    """Return the newest measured quality of each model's champion."""
    found = _newest(PerformanceSnapshot, models, OF_CHAMPION)
    return {
        model.pk: primary_metric(model, found[model.pk].metrics) if model.pk in found else "not measured yet"
        for model in models
    }


@model_columns.at(60, "Drift")
def drift_cells(models: Sequence[RegisteredModel]) -> Mapping[int, Any]:
    """Return the newest drift verdict on each model's champion."""
    found = _newest(DriftReport, models, OF_CHAMPION)
    return {model.pk: drift_badge(found.get(model.pk)) for model in models}


@model_columns.at(70, "Last alert")
def alert_cells(models: Sequence[RegisteredModel]) -> Mapping[int, Any]:
    """Return the newest alert of each model."""
    found = _newest(Alert, models, Q())
    return {
        model.pk: Lines(Link(alert.title, page_url(alert)), [ago(alert.last_seen_at)])
        if (alert := found.get(model.pk))
        else "none"
        for model in models
    }


def _newest(table: type[Row], models: Sequence[RegisteredModel], which: Q) -> dict[int, Row]:
    # Newest by key, which follows creation: one grouped query instead of one for each model.
    newest = (
        table.objects.filter(which, model__in=models).order_by().values("model_id").annotate(last=Max("pk"))
    )
    keys = [row["last"] for row in newest]
    return {row.model_id: row for row in table.objects.filter(pk__in=keys)}
