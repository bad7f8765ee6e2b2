"""Decisions to retrain: their jobs, their ends, and the letters about them."""

from celery import shared_task

from mlplatform.errors import PlatformError
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.tasks import TenantTask, send_for_tenants
from monitoring.models import RetrainingDecision
from monitoring.models.policy import DecisionState
from monitoring.services.actors import policy_actor
from monitoring.services.decision_letters import tell_of_decision
from monitoring.services.retraining import attach_job
from monitoring.services.settling import decision_behind, fail, pending_decisions, settle
from registry.models import ModelVersion
from registry.services.datasets import find_dataset
from training.models.job import Trigger
from training.tasks import submit_job


@shared_task(name="monitoring.settle_decisions")
def settle_decisions() -> int:
    """Have every retraining that is on its way looked at; return how many. The net under lost messages."""
    return send_for_tenants(settle_decision, pending_decisions)


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


@shared_task(name="monitoring.tell_of_decision", base=TenantTask)
def tell_of_decided(decision_id: int) -> None:
    """Write to the people who look after the decision's model."""
    with tenant_transaction():
        decision = RetrainingDecision.objects.select_related("model").get(pk=decision_id)
    tell_of_decision(decision=decision)


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
