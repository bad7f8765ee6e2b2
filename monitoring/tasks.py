"""Background work of the monitoring app: each task calls one service."""

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from mlplatform.errors import PlatformError
from mlplatform.tenancy.actors import SYSTEM, Actor, ActorKind
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import current_tenant, tenant_scope, tenant_transaction
from mlplatform.tenancy.tasks import TenantTask
from monitoring.models import Alert, DriftReport, RetrainingDecision
from monitoring.models.policy import DecisionState
from monitoring.receivers import waiting_key
from monitoring.services.actors import policy_actor
from monitoring.services.checks import CheckResult, run_checks
from monitoring.services.damage import deployed_versions, inspect_version, versions_in_doubt
from monitoring.services.decision_letters import tell_of_decision, untold_decisions
from monitoring.services.deliveries import deliver, due_deliveries, forget_old_deliveries
from monitoring.services.digests import write_digests
from monitoring.services.escalation import escalate_overdue, wake_rested
from monitoring.services.letters import tell_of_alert, untold_alerts
from monitoring.services.log_treatment import treat_log
from monitoring.services.losses import estimate_losses
from monitoring.services.retraining import attach_job
from monitoring.services.rollouts import tend
from monitoring.services.rollups import roll_up
from monitoring.services.settling import decision_behind, fail, pending_decisions, settle
from monitoring.services.together import compare_together, is_due
from registry.models import Alias, ModelVersion, RegisteredModel, Rollout
from registry.models.deployment import CHAMPION
from registry.models.registered_model import ProblemKind
from registry.models.rollout import ACTIVE_ROLLOUTS
from registry.services.datasets import find_dataset
from training.models.job import Trigger
from training.tasks import submit_job

LONGEST_COUNTDOWN = 600.0  # seconds


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


@shared_task(name="monitoring.roll_up_all")
def roll_up_all() -> int:
    """Have every tenant's new predictions and outcomes counted; return how many tenants there are."""
    tenants = list(Tenant.objects.filter(is_active=True).values_list("pk", flat=True))
    for tenant_id in tenants:
        roll_up_tenant.delay(tenant_id=tenant_id)
    return len(tenants)


@shared_task(name="monitoring.roll_up", base=TenantTask)
def roll_up_tenant() -> None:
    """Count what is new of one tenant."""
    roll_up()


@shared_task(name="monitoring.estimate_all_losses")
def estimate_all_losses() -> int:
    """Have what errors are to be expected of every regression estimated; return how many models."""
    sent = 0
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant), tenant_transaction():
            deployed = Alias.objects.filter(name=CHAMPION, model__problem_type=ProblemKind.REGRESSION)
            models = list(deployed.values_list("model_id", flat=True))
        for model_id in models:
            estimate_losses_of.delay(model_id, tenant_id=tenant.pk)
        sent += len(models)
    return sent


@shared_task(name="monitoring.estimate_losses", base=TenantTask)
def estimate_losses_of(model_id: int) -> None:
    """Estimate the losses of one model's new hours."""
    with tenant_transaction():
        model = RegisteredModel.objects.get(pk=model_id)
    estimate_losses(model=model)


@shared_task(name="monitoring.check_model", base=TenantTask)
def check_model(model_id: int) -> None:
    """Check one model, and retrain it where its policy says so."""
    with tenant_transaction():
        model = RegisteredModel.objects.get(pk=model_id)
    submit_checks(model=model, by=SYSTEM)


@shared_task(name="monitoring.compare_together", base=TenantTask)
def compare_rows(report_id: int) -> None:
    """Compare rows of the report's window with training rows, all columns together."""
    with tenant_transaction():
        report = DriftReport.objects.select_related("version__model", "version__dataset").get(pk=report_id)
    compare_together(report=report)


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


@shared_task(name="monitoring.inspect_deployed")
def inspect_deployed() -> int:
    """Have the files of every deployed version of every tenant checked; return how many versions."""
    sent = 0
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant):
            deployed = deployed_versions()
        for version in deployed:
            inspect_files.delay(version.pk, tenant_id=tenant.pk)
        sent += len(deployed)
    return sent


@shared_task(name="monitoring.look_again")
def look_again() -> int:
    """Have damaged files looked at once more, and letters sent that are due; return how many of both."""
    sent = 0
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant):
            doubtful, untold, decided = versions_in_doubt(), untold_alerts(), untold_decisions()
        for version_id in doubtful:
            inspect_files.delay(version_id, tenant_id=tenant.pk)
        for alert_id in untold:
            tell_of.delay(alert_id, tenant_id=tenant.pk)
        for decision_id in decided:
            tell_of_decided.delay(decision_id, tenant_id=tenant.pk)
        sent += len(doubtful) + len(untold) + len(decided)
    return sent


@shared_task(name="monitoring.inspect_version", base=TenantTask)
def inspect_files(version_id: int) -> None:
    """Check the version's files; raise or resolve its alerts, and have people told of new ones."""
    with tenant_transaction():
        version = ModelVersion.objects.select_related("model").get(pk=version_id)
    for alert in inspect_version(version=version):
        tell_of.delay(alert.pk, tenant_id=version.tenant_id)


@shared_task(name="monitoring.tell_of_alert", base=TenantTask)
def tell_of(alert_id: int) -> None:
    """Write to the people who look after the alert's model."""
    with tenant_transaction():
        alert = Alert.objects.select_related("model").get(pk=alert_id)
    tell_of_alert(alert=alert)


@shared_task(name="monitoring.tell_of_decision", base=TenantTask)
def tell_of_decided(decision_id: int) -> None:
    """Write to the people who look after the decision's model."""
    with tenant_transaction():
        decision = RetrainingDecision.objects.select_related("model").get(pk=decision_id)
    tell_of_decision(decision=decision)


@shared_task(name="monitoring.tend_alerts")
def tend_alerts() -> int:
    """Have every tenant's alerts escalated and woken, and what waits sent; return how many tenants there are.

    The net under lost messages, too.
    """
    tenants = list(Tenant.objects.filter(is_active=True).values_list("pk", flat=True))
    for tenant_id in tenants:
        tend_alerts_of.delay(tenant_id=tenant_id)
    return len(tenants)


@shared_task(name="monitoring.tend_alerts_of", base=TenantTask)
def tend_alerts_of() -> None:
    """Escalate and wake one tenant's alerts, and have what waits sent."""
    escalate_overdue()
    wake_rested()
    send_waiting()


@shared_task(name="monitoring.send_digests")
def send_digests() -> int:
    """Have every tenant's summaries written where they are due; return how many tenants there are."""
    tenants = list(Tenant.objects.filter(is_active=True).values_list("pk", flat=True))
    for tenant_id in tenants:
        send_digests_of.delay(tenant_id=tenant_id)
    return len(tenants)


@shared_task(name="monitoring.send_digests_of", base=TenantTask)
def send_digests_of() -> None:
    """Write one tenant's summaries where they are due, and delete messages that are kept no longer."""
    write_digests()
    forget_old_deliveries()


@shared_task(name="monitoring.deliver_waiting", base=TenantTask)
def deliver_waiting() -> None:
    """Have each message of the tenant sent whose time has come."""
    send_waiting()


@shared_task(name="monitoring.deliver", base=TenantTask)
def deliver_one(delivery_id: int) -> None:
    """Send one message; where it does not arrive, once more after a pause.

    A long pause is left to the sweep of every minute: a worker would hold the message all the while.
    """
    delivery = deliver(pk=delivery_id)
    if delivery is None or delivery.next_try_at is None:
        return
    pause = max((delivery.next_try_at - timezone.now()).total_seconds(), 0.0)
    if pause <= LONGEST_COUNTDOWN:
        kwargs = {"tenant_id": delivery.tenant_id}
        deliver_one.apply_async(args=(delivery_id,), kwargs=kwargs, countdown=pause)


def send_waiting() -> None:
    """Send each message that is due in a task of its own, so that a slow receiver delays no other."""
    tenant_id = current_tenant().pk
    for delivery_id in due_deliveries():
        deliver_one.delay(delivery_id, tenant_id=tenant_id)


@shared_task(name="monitoring.tend_rollouts")
def tend_rollouts() -> int:
    """Have every rollout that is under way weighed; return how many. The net under lost messages."""
    sent = 0
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant), tenant_transaction():
            active = list(Rollout.objects.filter(state__in=ACTIVE_ROLLOUTS).values_list("pk", flat=True))
        for rollout_id in active:
            tend_rollout.delay(rollout_id, tenant_id=tenant.pk)
        sent += len(active)
    return sent


@shared_task(name="monitoring.tend_rollout", base=TenantTask)
def tend_rollout(rollout_id: int) -> None:
    """Weigh one rollout, and do what follows."""
    cache.delete(waiting_key(rollout_id))  # before anything is read: what comes in now is weighed anew
    with tenant_transaction():
        rollout = Rollout.objects.get(pk=rollout_id)
    tend(rollout=rollout)


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
    if result.drift is not None and is_due(result.drift):
        args, kwargs = (result.drift.pk,), {"tenant_id": model.tenant_id}
        compare_rows.apply_async_on_commit(args=args, kwargs=kwargs)
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
