"""What comes of a retraining once its job has ended."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from mlplatform.errors import PlatformError
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from monitoring.models import RetrainingDecision
from monitoring.models.policy import DecisionState, OnSuccess
from monitoring.services.alerts import close_outdated
from monitoring.services.policies import policy_of
from monitoring.services.retraining import policy_actor
from registry.errors import GateFailed
from registry.models import Deployment, ModelVersion
from registry.services.promotion import promote
from training.models import JobState

SUBMITTED_WITHIN = timedelta(minutes=10)


def pending_decisions() -> list[RetrainingDecision]:
    """Return the tenant's decisions whose retraining has not been settled yet."""
    with tenant_transaction():
        return list(RetrainingDecision.objects.filter(state=DecisionState.TRAINING).order_by("pk"))


def decision_behind(version: ModelVersion) -> RetrainingDecision | None:
    """Return the decision whose job made the version, or None."""
    with tenant_transaction():
        return RetrainingDecision.objects.filter(job__version=version).first()


def settle(*, decision: RetrainingDecision) -> RetrainingDecision:
    """Act on the job's end: promote the new version where the policy says so and its gates pass.

    Leaves a decision alone whose job still runs, or that was settled before: the row stays locked until the
    outcome is written, so settling twice does it once.
    """
    with tenant_transaction():
        locked = RetrainingDecision.objects.select_for_update(of=("self",)).select_related("model")
        decision = locked.get(pk=decision.pk)
        if decision.state != DecisionState.TRAINING:
            return decision
        ended = _ending(decision)
        if ended is None:
            return decision
        decision.state, decision.outcome, decision.deployment = ended
        decision.outcome = decision.outcome[:1000]
        decision.settled_at = timezone.now()
        decision.save(update_fields=["state", "outcome", "deployment", "settled_at"])
        record(
            by=policy_actor(decision.model),
            action=f"retraining.{decision.state}",
            target=decision,
            outcome=decision.outcome,
        )
    return decision


def fail(*, decision: RetrainingDecision, outcome: str) -> RetrainingDecision:
    """Settle a decision whose job could not even be submitted."""
    with tenant_transaction():
        changed = RetrainingDecision.objects.filter(pk=decision.pk, state=DecisionState.TRAINING).update(
            state=DecisionState.FAILED, outcome=outcome[:1000], settled_at=timezone.now()
        )
        decision.refresh_from_db()
        if changed:
            record(
                by=policy_actor(decision.model), action="retraining.failed", target=decision, outcome=outcome
            )
    return decision


Ending = tuple[DecisionState, str, Deployment | None]


def _ending(decision: RetrainingDecision) -> Ending | None:
    job = decision.job
    if job is None:
        if decision.created_at > timezone.now() - SUBMITTED_WITHIN:
            return None
        return DecisionState.FAILED, "The training job was lost before it was submitted.", None
    if job.is_active:
        return None
    if job.state != JobState.SUCCEEDED or job.version is None:
        why = job.error or "It ended without a version."
        return DecisionState.FAILED, f"Job {job.pk} {job.get_state_display().lower()}. {why}", None
    return _with_version(decision, job.version)


def _with_version(decision: RetrainingDecision, version: ModelVersion) -> Ending:
    model = decision.model
    if policy_of(model).on_success == OnSuccess.TELL:
        return (
            DecisionState.KEPT,
            f"{version} is registered; the policy leaves its promotion to people.",
            None,
        )
    by = policy_actor(model)
    try:
        with tenant_transaction():
            deployment = promote(model=model, version=version, by=by, reason=decision.reason)
            close_outdated(model=model, champion=version, by=by)
    except GateFailed as error:
        failed = [str(gate["detail"]) for gate in _gates(error) if not gate["passed"]]
        return DecisionState.KEPT, f"{version} did not pass its gates. {' '.join(failed)}", None
    except PlatformError as error:
        return DecisionState.KEPT, f"{version} was not promoted. {error.detail}", None
    return DecisionState.PROMOTED, f"{version} passed its gates and is the champion.", deployment


def _gates(error: GateFailed) -> list[dict[str, Any]]:
    return [dict(gate) for gate in error.fields or [] if not isinstance(gate, str)]
