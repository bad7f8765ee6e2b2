"""A furnished tenant for the console's tests: one row at least of everything that has a page."""

import io
from dataclasses import dataclass
from typing import Any

import pandas as pd
from django.db.models import Model
from django.utils import timezone

from feedback.models import (
    HeldOutcome,
    HistoryImport,
    LabelItem,
    Outcome,
    Quarantine,
    Rating,
    SubjectErasure,
)
from feedback.services.erasures import erase_subject
from feedback.services.labelling import give_label
from feedback.services.outcomes import OutcomeItem, record_outcomes
from feedback.services.past import import_past
from mlplatform.tenancy.actors import SYSTEM, Actor, ActorKind
from mlplatform.tenancy.models import ApiKey, AuditEvent, Grant, Membership, Scope, Team, Tenant, Usage
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.api_keys import create_api_key
from mlplatform.tenancy.services.grants import give_right
from mlplatform.tenancy.services.teams import create_team
from mlplatform.tenancy.services.tenants import add_member
from monitoring.models import (
    Alert,
    AlertRule,
    Channel,
    Delivery,
    DriftReport,
    PerformanceSnapshot,
    ReportSchedule,
    RetrainingDecision,
    RetrainingPolicy,
)
from monitoring.services.channels import create_channel
from monitoring.services.checks import run_checks
from monitoring.services.report_schedules import create_report_schedule
from registry.models import (
    Dataset,
    Deployment,
    ModelVersion,
    Prediction,
    PromotionRequest,
    RegisteredModel,
    Rollout,
)
from registry.services.requests import propose
from registry.services.rollouts import start_rollout, stop
from registry.services.serving import predict
from tests.factories import make_champion, make_model, make_version, rows_of
from training.models import BatchJob, DataSource, RetrainingSchedule, TrainingJob
from training.services.batch_options import Options
from training.services.batches import create_batch
from training.services.jobs import create_job
from training.services.schedules import create_schedule
from training.services.sources import create_source

WITH_PAGES: tuple[type[Model], ...] = (
    ApiKey,
    AuditEvent,
    Membership,
    Team,
    Grant,
    Usage,
    Dataset,
    RegisteredModel,
    ModelVersion,
    Deployment,
    PromotionRequest,
    Rollout,
    Prediction,
    DataSource,
    TrainingJob,
    BatchJob,
    RetrainingSchedule,
    Outcome,
    HeldOutcome,
    Rating,
    LabelItem,
    Quarantine,
    HistoryImport,
    SubjectErasure,
    Alert,
    AlertRule,
    Channel,
    Delivery,
    DriftReport,
    PerformanceSnapshot,
    ReportSchedule,
    RetrainingPolicy,
    RetrainingDecision,
)


@dataclass(frozen=True)
class Furnished:
    """The tenant, its model, the champion and a second version."""

    tenant: Tenant
    model: RegisteredModel
    champion: ModelVersion
    candidate: ModelVersion

    def newest(self, table: type[Model]) -> Model:
        """Return the newest row of the tenant."""
        with tenant_scope(self.tenant), tenant_transaction():
            return table._default_manager.order_by("-pk")[0]


def past_of(rows: list[dict[str, Any]]) -> io.BytesIO:
    """Return the rows as a file of past predictions, which were all right."""
    told = {"predicted_at": "2026-03-01T09:30:00Z", "prediction": "benign", "outcome": "benign"}
    return io.BytesIO(pd.DataFrame([{**row, **told} for row in rows]).to_csv(index=False).encode())


def dispute(prediction: Prediction) -> None:
    """Let two people disagree about the prediction."""
    for name, value in (("ann", "benign"), ("ben", "malignant")):
        by = Actor(ActorKind.USER, f"{name}@clinic.example")
        give_label(prediction=prediction, value=value, by=by, second=True)


def furnish(tenant: Tenant, name: str = "cancer") -> Furnished:
    """Run a model once around its loop: train, deploy, predict shifted rows, report outcomes, check."""
    now = timezone.now()
    with tenant_scope(tenant), tenant_transaction():
        model = make_model(name)
        champion = make_champion(model)
        candidate = make_version(model, dataset=champion.dataset)
        propose(model=model, version=candidate, by=SYSTEM, comment="steadier")
        rows = rows_of(champion, 40)
        shifted = [{key: value * 3 for key, value in row.items()} for row in rows]
        answered = predict(model=model, rows=shifted, by=SYSTEM).predictions
        outcomes = [OutcomeItem(one.pk, "benign") for one in answered]
        rated = OutcomeItem(answered[0].pk, None, rating=4, comment="close enough")
        early = OutcomeItem("", "benign", entity_key="not asked yet", model=name)
        record_outcomes(items=[*outcomes, rated, early], source="api", by=SYSTEM)
        dispute(answered[1])
        Quarantine.objects.create(
            model=model, sender="api key laboratory", suspicion="share", reason="Most of them.", since=now
        )
        import_past(model=model, file=past_of(rows[:2]), name="history.csv", by=SYSTEM)
        erase_subject(key="nobody", by=SYSTEM)
        create_channel(name="Watchers", kind="email", by=SYSTEM)
        create_report_schedule(name="Committee", model=model, by=SYSTEM)
        run_checks(model=model, by=SYSTEM)
        create_job(model=model, dataset=champion.dataset, by=SYSTEM)
        create_batch(model=model, dataset=champion.dataset, options=Options(), by=SYSTEM)
        create_source(name="Answered rows", kind="predictions", settings={}, model=model, by=SYSTEM)
        create_schedule(model=model, name="Nightly", by=SYSTEM, cron="0 3 * * *")
        create_api_key(name="laboratory", scopes=[Scope.READ], by=SYSTEM)
        member = add_member(email=f"someone@{tenant.slug}.example", role="viewer", by=SYSTEM)
        team = create_team(name=f"Readers of {name}", members=[member], by=SYSTEM)
        give_right(model=model, holder=team, role="viewer", by=SYSTEM)
        rollout = start_rollout(model=model, challenger=candidate, by=SYSTEM)
        stop(rollout=rollout, by=SYSTEM, reason="seen enough")
    return Furnished(tenant, model, champion, candidate)
