"""Whether each model is well, from what is known of it already: nothing is measured for it anew."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Subquery, Sum

from mlplatform.tenancy.scope import tenant_transaction
from monitoring.models import Alert, DriftReport, ModelHealth, PerformanceSnapshot, Rollup
from monitoring.models.alert import FILE_CAUSES, UNRESOLVED, Severity
from monitoring.models.health import HealthState
from monitoring.services.health_spans import (
    KEPT,
    SHOWN,
    Finding,
    Health,
    Strip,
    fields_of_look,
    newest,
    strip_of,
    written_down,
)
from monitoring.services.request_figures import errors_in
from monitoring.services.rules import tolerated_value
from monitoring.services.windows import hour_of
from registry.models import Alias, RegisteredModel, RequestTally
from registry.models.deployment import CHAMPION
from registry.problems.agreement import least_share

MINIMUM_ROWS = 30
TOO_MANY_ERRORS = 0.05  # of the requests of the last one to two hours, beyond chance
FRESH = timedelta(days=1)  # reports that are older say nothing about now
MOST_TITLES = 3


@dataclass
class _Known:
    """What is known of one model."""

    champion: Any = None
    alerts: list[tuple[str, str, str]] = field(default_factory=list)  # severity, cause, title
    outcomes: Counter[str] = field(default_factory=Counter)
    predictions: int = 0


def look_at_models(now: datetime) -> int:
    """Write down how each model of the active tenant is; return how many there are.

    In a few statements however many models there are; what is older than 48 hours is deleted.
    """
    with tenant_transaction():
        found = {key: _judged(known) for key, known in _known(now).items()}
        last = newest(ModelHealth.objects.filter(ends__gte=now - KEPT), "model_id")
        new, going_on = written_down(found, last, now)
        ModelHealth.objects.bulk_create(
            [ModelHealth(model_id=key, **fields_of_look(health, now)) for key, health in new]
        )
        ModelHealth.objects.bulk_update(going_on, ["ends", "words"], batch_size=500)
        ModelHealth.objects.filter(ends__lt=now - KEPT).delete()
    return len(found)


def health_of_models(
    now: datetime, model: RegisteredModel | None = None
) -> list[tuple[RegisteredModel, Strip]]:
    """Return the last 24 hours of each model that may be seen, or of one, by name."""
    with tenant_transaction():
        models = list(RegisteredModel.objects.order_by("name")) if model is None else [model]
        spans: dict[int, list[ModelHealth]] = defaultdict(list)
        for span in ModelHealth.objects.filter(ends__gt=now - SHOWN, model__in=models):
            spans[span.model_id].append(span)
    return [(one, strip_of(spans[one.pk], now)) for one in models]


def _known(now: datetime) -> dict[int, _Known]:
    found = {key: _Known() for key in RegisteredModel.objects.order_by().values_list("pk", flat=True)}
    for alias in _champions(now):
        found[alias.model_id].champion = alias
    alerts = Alert.objects.filter(state__in=UNRESOLVED).order_by("-created_at")
    for key, *alert in alerts.values_list("model_id", "severity", "cause", "title"):
        found[key].alerts.append((alert[0], alert[1], alert[2]))
    since = hour_of(now - timedelta(hours=1))
    tallies = RequestTally.objects.filter(begins__gte=since).order_by()
    for key, outcome, count in tallies.values_list("model_id", "outcome").annotate(Sum("count")):
        found[key].outcomes[outcome] = count
    hours = Rollup.objects.filter(begins__gte=hour_of(now - SHOWN), slice_column="").order_by()
    for key, rows in hours.values_list("model_id").annotate(Sum("predictions")):
        found[key].predictions = rows
    return found


def _champions(now: datetime) -> Iterable[Any]:
    """Return the aliases of the champions with the newest reports on them."""
    its_own = {
        "model": OuterRef("model"),
        "version": OuterRef("version"),
        "created_at__gte": now - FRESH,
    }
    drift = DriftReport.objects.filter(**its_own).order_by("-created_at")
    quality = PerformanceSnapshot.objects.filter(**its_own).order_by("-created_at")
    heavy = ("reference", "evaluation", "importance", "features", "params", "environment", "cv_metrics")
    return (
        Alias.objects.filter(name=CHAMPION)
        .select_related("version__model")
        .defer(*(f"version__{name}" for name in heavy))
        .annotate(
            drift_alarm=Subquery(drift.values("alarm")[:1]),
            drifted=Subquery(drift.values("drifted_features")[:1]),
            labelled=Subquery(quality.values("labelled")[:1]),
            measured=Subquery(quality.values("metrics")[:1]),
        )
    )


def _judged(known: _Known) -> Health:
    return Health(list(_findings(known)))


def _findings(known: _Known) -> Iterator[Finding]:
    if known.champion is None:
        yield Finding("not_deployed", HealthState.IDLE, "No version is deployed.")
    yield from _alerts(known.alerts)
    yield from _errors(known.outcomes)
    if known.champion is not None:
        yield from _quality(known.champion)
        yield from _drift(known.champion)
        if not known.predictions and not sum(known.outcomes.values()):
            yield Finding("not_asked", HealthState.IDLE, "Nobody asked it in the last 24 hours.")


def _alerts(alerts: list[tuple[str, str, str]]) -> Iterator[Finding]:
    damaged = [title for _, cause, title in alerts if cause in FILE_CAUSES]
    if damaged:
        yield Finding("damaged_file", HealthState.BAD, f"{damaged[0]}.")
    for severity, state in ((Severity.CRITICAL, HealthState.BAD), (Severity.WARNING, HealthState.WARN)):
        titles = [title for grave, cause, title in alerts if grave == severity and cause not in FILE_CAUSES]
        if titles:
            named = "; ".join(titles[:MOST_TITLES])
            many = "alert is" if len(titles) == 1 else "alerts are"
            words = f"{len(titles)} {severity.label.lower()} {many} open: {named}."
            yield Finding(f"{severity}_alert", state, words)


def _errors(outcomes: Counter[str]) -> Iterator[Finding]:
    share = errors_in(outcomes)
    if not share.count:
        return
    many = least_share(share.count, share.of) > TOO_MANY_ERRORS
    words = f"{share.count:,} of the last {share.of:,} requests were not answered as asked."
    yield Finding("errors", HealthState.BAD if many else HealthState.WARN, words)


def _quality(champion: Any) -> Iterator[Finding]:
    version = champion.version
    limit, metric = tolerated_value(version), version.model.problem.primary
    value = (champion.measured or {}).get(metric.name)
    if limit is None or value is None or (champion.labelled or 0) < MINIMUM_ROWS:
        return
    if metric.is_better(limit, value):
        words = (
            f"{metric.title} is {value:.3f} over {champion.labelled:,} outcomes; {limit:.3f} is tolerated."
        )
        yield Finding("quality", HealthState.WARN, words)


def _drift(champion: Any) -> Iterator[Finding]:
    if champion.drift_alarm:
        words = f"Its inputs have drifted: {champion.drifted} features at the last check."
        yield Finding("drift", HealthState.WARN, words)
