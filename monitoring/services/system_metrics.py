"""What an operator's Prometheus reads: the same from every server process, since it is in the database.

Labels name tenants and models by their slugs, which are no personal values, and nothing that a request sends.
Of the models the ``MOST_MODELS`` that were asked most have series of their own; the others are told together.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count

from mlplatform.heartbeats import heard
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from monitoring.models import Alert, ModelHealth
from monitoring.models.alert import UNRESOLVED
from monitoring.models.health import HealthState
from monitoring.services.exposition import Family, Sample, exposed, histogram
from monitoring.services.health_spans import EVERY, GRAVITY, Health, newest
from monitoring.services.system_health import system_now
from registry.models import RegisteredModel, RequestTally
from registry.models.request_tally import ALL_TIME, LATENCY_BOUNDS, SERVED
from registry.services.request_tallies import Sum, sum_of
from training.models import JobState, TrainingJob

MOST_MODELS = 500
OTHERS = "_others"  # no slug of a model begins like that
Name = tuple[str, str]


@dataclass
class _Model:
    """What is told of one model, or of several together."""

    ended: Counter[str] = field(default_factory=Counter)
    took: Sum = field(default_factory=Sum)
    alerts: Counter[str] = field(default_factory=Counter)
    state: HealthState | None = None

    def add(self, other: "_Model") -> None:
        self.ended += other.ended
        self.took.add(other.took)
        self.alerts += other.alerts


def prometheus_text(now: datetime) -> str:
    """Return all metrics; asks each active tenant in turn."""
    models: dict[Name, _Model] = {}
    jobs: dict[Name, int] = {}
    for tenant in Tenant.objects.filter(is_active=True).order_by("slug"):
        with tenant_scope(tenant), tenant_transaction():
            models |= {(tenant.slug, name): one for name, one in _models(now).items()}
            states = TrainingJob.objects.filter(state__in=(JobState.QUEUED, JobState.RUNNING)).order_by()
            counted = states.values_list("state").annotate(Count("pk"))
            jobs |= {(tenant.slug, state): count for state, count in counted}
    ages = {name: (now - at).total_seconds() for name, at in heard(now).items()}
    return exposed([*_system(system_now(now), ages), *_jobs(jobs), *_of_models(_bounded(models))])


def _models(now: datetime) -> dict[str, _Model]:
    """Return what is known of the active tenant's models, by name."""
    names = dict(RegisteredModel.objects.values_list("pk", "name"))
    found = {key: _Model() for key in names}
    for row in RequestTally.objects.filter(begins=ALL_TIME):
        found[row.model_id].ended[row.outcome] += row.count
        if row.outcome in SERVED:
            found[row.model_id].took.add(sum_of(row))
    alerts = Alert.objects.filter(state__in=UNRESOLVED).order_by()
    for key, severity, count in alerts.values_list("model_id", "severity").annotate(Count("pk")):
        found[key].alerts[severity] = count
    for key, span in newest(ModelHealth.objects.filter(ends__gt=now - 2 * EVERY), "model_id").items():
        found[key].state = HealthState(span.state)
    return {names[key]: one for key, one in found.items()}


def _bounded(models: dict[Name, _Model]) -> dict[Name, _Model]:
    """Keep the models that were asked most, and add up the others of each tenant."""
    ranked = sorted(models, key=lambda name: (-models[name].ended.total(), name))
    kept = {name: models[name] for name in sorted(ranked[:MOST_MODELS])}
    others: dict[Name, _Model] = defaultdict(_Model)
    for tenant, name in ranked[MOST_MODELS:]:
        others[tenant, OTHERS].add(models[tenant, name])
    return kept | others


def _system(parts: dict[str, Health], ages: dict[str, float]) -> Iterable[Family]:
    works = [Sample(health.state != HealthState.BAD, {"part": part}) for part, health in parts.items()]
    yield Family("mlplatform_part_up", "gauge", "Whether a part of the installation works: 1 or 0.", works)
    beats = [Sample(age, {"process": name}) for name, age in ages.items()]
    told = "Seconds since the scheduler and each worker were heard of."
    yield Family("mlplatform_heartbeat_age_seconds", "gauge", told, beats)


def _jobs(jobs: dict[Name, int]) -> Iterable[Family]:
    samples = [Sample(count, {"tenant": tenant, "state": state}) for (tenant, state), count in jobs.items()]
    yield Family("mlplatform_training_jobs", "gauge", "Training jobs that wait or run.", samples)


def _of_models(models: dict[Name, _Model]) -> Iterable[Family]:
    named = [({"tenant": tenant, "model": name}, one) for (tenant, name), one in models.items()]
    ended = [
        Sample(count, {**labels, "outcome": outcome})
        for labels, one in named
        for outcome, count in sorted(one.ended.items())
    ]
    yield Family("mlplatform_requests_total", "counter", "Requests for answers by how they ended.", ended)
    took = [
        sample
        for labels, one in named
        if one.took.count
        for sample in histogram(labels, LATENCY_BOUNDS, one.took.within, one.took.seconds)
    ]
    told = "Time to answer a request that was answered."
    yield Family("mlplatform_request_duration_seconds", "histogram", told, took)
    alerts = [
        Sample(count, {**labels, "severity": severity})
        for labels, one in named
        for severity, count in sorted(one.alerts.items())
    ]
    yield Family("mlplatform_open_alerts", "gauge", "Alerts that are not resolved.", alerts)
    states = [Sample(GRAVITY[one.state], labels) for labels, one in named if one.state is not None]
    told = "How the model is: 0 well, 1 not asked, 2 needs a look, 3 not well."
    yield Family("mlplatform_model_health", "gauge", told, states)
