"""Background work of the monitoring app: each task calls one service."""

from celery import shared_task

from mlplatform.errors import PlatformError
from mlplatform.tenancy.actors import SYSTEM, Actor, ActorKind
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.tasks import TenantTask
from monitoring.models import RetrainingDecision
from monitoring.models.policy import DecisionState
from monitoring.services.checks import CheckResult, run_checks
from monitoring.services.log_treatment import treat_log
from monitoring.services.retraining import attach_job, policy_actor
from monitoring.services.settling import decision_behind, fail, pending_decisions, settle
from registry.models import Alias, ModelVersion, RegisteredModel
from registry.models.deployment import CHAMPION
from registry.services.datasets import find_dataset
from training.models.job import Trigger
from training.tasks import submit_job


@shared_task(name="monitoring.check_all_models")
def check_all_models() -> int:
    """Have every deployed model of every tenant checked; return how many."""
    sent = 0
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant), tenant_transaction():
            models = list(Alias.objects.filter(name=CHAMPION).values_list("model_id", flat=True))
        for model_id in models:
            check_model.delay(model_id, tenant_id=tenant.pk)
        sent += len(models)
    return sent


@shared_task(name="monitoring.check_model", base=TenantTask)
def check_model(model_id: int) -> None:
    """Check one model, and retrain it where its policy says so."""
    with tenant_transaction():
        model = RegisteredModel.objects.get(pk=model_id)
    submit_checks(model=model, by=SYSTEM)


@shared_task(name="monitoring.settle_decisions")
def settle_decisions() -> int:
    """Have every retraining that is on its way looked at; return how many. The net under lost messages."""
    sent = 0
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant):
            pending = pending_decisions()
        for decision in pending:
            settle_decision.delay(decision.pk, tenant_id=tenant.pk)
        sent += len(pending)
    return sent


@shared_task(name="monitoring.settle_decision", base=TenantTask)
def settle_decision(decision_id: int) -> None:
    """Settle one decision where its job has ended."""
    with tenant_transaction():
        decision = RetrainingDecision.objects.get(pk=decision_id)
    settle(decision=decision)


@shared_task(name="monitoring.settle_version", base=TenantTask)
def settle_version(version_id: int) -> None:
    """Settle the decision that led to this version, if one did."""
    with tenant_transaction():
        version = ModelVersion.objects.get(pk=version_id)
    decision = decision_behind(version)
    if decision is not None:
        settle(decision=decision)


@shared_task(name="monitoring.treat_log", base=TenantTask)
def treat_log_of(model_id: int, kind: str, label: str, actor_id: int | None) -> None:
    """Apply the model's marks of personal columns to what is stored, in the name of whoever asked."""
    with tenant_transaction():
        model = RegisteredModel.objects.get(pk=model_id)
    treat_log(model=model, by=Actor(ActorKind(kind), label, actor_id))


def submit_treatment(*, model: RegisteredModel, by: Actor) -> None:
    """Have a worker apply the model's marks to its log; lost on the way, it is asked for again."""
    args = (model.pk, by.kind.value, by.label, by.id)
    treat_log_of.apply_async_on_commit(args=args, kwargs={"tenant_id": model.tenant_id})


def submit_checks(*, model: RegisteredModel, by: Actor) -> CheckResult:
    """Run the model's checks and submit the retraining they call for; raises what ``run_checks`` does."""
    result = run_checks(model=model, by=by)
    if result.decision is not None:
        result.decision = submit_retraining(decision=result.decision)
    return result


def submit_retraining(*, decision: RetrainingDecision) -> RetrainingDecision:
    """Submit the job of a decision that has none yet; a refused job fails the decision."""
    if decision.state != DecisionState.TRAINING or decision.job_id is not None:
        return decision
    try:
        with tenant_transaction():
            job = submit_job(
                model=decision.model,
                dataset=find_dataset(decision.inputs["dataset"]),
                by=policy_actor(decision.model),
                config=decision.inputs["config"],
                trigger=Trigger.POLICY,
            )
            return attach_job(decision=decision, job=job)
    except PlatformError as error:
        return fail(decision=decision, outcome=error.detail)
