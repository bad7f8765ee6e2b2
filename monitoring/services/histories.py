"""What the rows tell of a model's past, as the plain history that decisions are made by."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncMinute

from feedback.models import Outcome
from monitoring.deciding.history import AlertSpan, Counts, History, Measured, Reign, Span, Trained
from monitoring.deciding.terms import Cause
from monitoring.models import Alert, PerformanceSnapshot, RetrainingDecision, Rollup
from monitoring.models.alert import AlertMetric
from monitoring.models.policy import ROLLBACKS, DecisionState
from registry.models import ModelVersion, RegisteredModel
from registry.services.champions import champion_changes
from training.models import TrainingJob
from training.models.job import ACTIVE_STATES

# Risen errors are lost quality, whichever test has found it.
WATCHED = {
    AlertMetric.DRIFT_SHARE: Cause.DRIFT,
    AlertMetric.PERFORMANCE: Cause.PERFORMANCE,
    AlertMetric.CONCEPT_DRIFT: Cause.PERFORMANCE,
}
MOST_COUNTED = 10_000


def present_of(model: RegisteredModel, now: datetime, most: int = MOST_COUNTED) -> History:
    """Return what a decision at this moment needs; call it in a transaction of the tenant.

    New outcomes are counted up to ``most``, which is more than any rule asks for; so a decision costs the
    same however much has come since the newest version's data were taken.
    """
    trained = _trained(model)
    since = trained[-1].data_at if trained else None
    outcomes = _outcomes(model, since).order_by("-received_at")[:most].count()
    rows = _rollups(model, since).aggregate(total=Sum("predictions"))["total"] or 0
    return _history(
        model,
        trained=trained,
        alerts=Alert.objects.filter(resolved_at=None),
        measured=_measured(model, newest=1),
        jobs=TrainingJob.objects.filter(state__in=ACTIVE_STATES),
        outcomes=Counts([now], [outcomes]),
        rows=Counts([now], [rows]),
    )


def past_of(model: RegisteredModel, since: datetime) -> History:
    """Return what was recorded from ``since`` on, with what stood then; call it in a transaction.

    Outcomes are counted by the minute in which they came, rows by the hour of their roll-up.
    """
    trained = _trained(model)
    known = [one.data_at for one in trained if one.ready <= since]
    first = min([since, *known[-1:]])
    came = _outcomes(model, first).annotate(minute=TruncMinute("received_at"))
    by_minute = came.order_by("minute").values("minute").annotate(last=Max("received_at"), number=Count("pk"))
    outcomes = by_minute.values_list("last", "number")
    rows = _rollups(model, first).order_by("begins").values_list("begins", "predictions")
    return _history(
        model,
        trained=trained,
        alerts=Alert.objects.filter(Q(resolved_at=None) | Q(resolved_at__gt=since)),
        measured=_measured(model),
        jobs=TrainingJob.objects.filter(Q(finished_at=None) | Q(finished_at__gt=since)),
        outcomes=Counts(*_columns(outcomes)),
        rows=Counts(*_columns(rows)),
    )


def _history(
    model: RegisteredModel,
    *,
    trained: tuple[Trained, ...],
    alerts: QuerySet[Alert],
    measured: tuple[Measured, ...],
    jobs: QuerySet[TrainingJob],
    outcomes: Counts,
    rows: Counts,
) -> History:
    primary = model.problem.primary
    started = RetrainingDecision.objects.filter(~ROLLBACKS, model=model).exclude(state=DecisionState.DECLINED)
    by_rules = alerts.filter(model=model, cause="").select_related("rule").order_by("created_at", "pk")
    return History(
        metric=primary.title,
        higher_is_better=primary.higher_is_better,
        learns="outcomes" if model.target else "rows",
        reigns=_reigns(model),
        alerts=tuple(_alert_span(one) for one in by_rules if one.rule is not None),
        measured=measured,
        trained=trained,
        jobs=tuple(
            Span(begins, ends)
            for begins, ends in jobs.filter(model=model)
            .order_by("created_at")
            .values_list("created_at", "finished_at")
        ),
        retrainings=tuple(
            Span(begins, ends if state != DecisionState.TRAINING else None)
            for begins, ends, state in started.order_by("created_at", "pk").values_list(
                "created_at", "settled_at", "state"
            )
        ),
        outcomes=outcomes,
        rows=rows,
    )


def _alert_span(alert: Alert) -> AlertSpan:
    metric = alert.rule.metric if alert.rule else ""
    watches = next((cause.value for name, cause in WATCHED.items() if name == metric), metric)
    return AlertSpan(alert.created_at, alert.resolved_at, alert.pk, watches, alert.title)


def _reigns(model: RegisteredModel) -> tuple[Reign, ...]:
    primary = model.problem.primary_metric
    changes = champion_changes(model).order_by("created_at", "pk")
    rows = changes.values_list("created_at", "version__number", "version__metrics")
    return tuple(Reign(since, number, metrics.get(primary)) for since, number, metrics in rows)


def _trained(model: RegisteredModel) -> tuple[Trained, ...]:
    # The data were frozen just before the job was made; what came in while it ran is new.
    rows = ModelVersion.objects.filter(model=model).order_by("number")
    dated = rows.annotate(data_at=Coalesce("job__created_at", "created_at"))
    return tuple(Trained(*one) for one in dated.values_list("data_at", "created_at", "number"))


def _outcomes(model: RegisteredModel, since: datetime | None) -> QuerySet[Outcome]:
    known = Outcome.objects.filter(model=model, current=True)
    return known if since is None else known.filter(received_at__gt=since)


def _rollups(model: RegisteredModel, since: datetime | None) -> QuerySet[Rollup]:
    hours = Rollup.objects.filter(model=model, slice_column="")
    return hours if since is None else hours.filter(begins__gte=since)


def _measured(model: RegisteredModel, newest: int | None = None) -> tuple[Measured, ...]:
    primary = model.problem.primary_metric
    rows = PerformanceSnapshot.objects.filter(model=model).order_by("-created_at", "-pk")
    values = rows.values_list("created_at", "version__number", "metrics", "labelled")[:newest]
    return tuple(
        Measured(at, number, metrics[primary], labelled)
        for at, number, metrics, labelled in reversed(list(values))
        if primary in metrics
    )


def _columns(pairs: Any) -> tuple[list[datetime], list[int]]:
    found = list(pairs)
    return [moment for moment, _ in found], [number for _, number in found]
