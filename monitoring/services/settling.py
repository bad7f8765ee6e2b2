"""What comes of a retraining once its job has ended."""

from datetime import timedelta

from django.db.models import QuerySet
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
from registry.services.promotion import Examined, demand_passed, examine, move_champion
from registry.services.requests import propose_examined
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

    Leaves a decision alone whose job still runs, or that was settled before: the row stays locked while the
    outcome is written, so settling twice does it once.
    """
    with tenant_transaction():
        decision = _rows().get(pk=decision.pk)
        promoting = policy_of(decision.model).on_success == OnSuccess.PROMOTE
    if decision.state != DecisionState.TRAINING or not _is_over(decision):
        return decision
    version = _made(decision)
    examined = _examined(version) if version is not None and promoting else None
    with tenant_transaction():
        locked = _rows().select_for_update(of=("self",)).get(pk=decision.pk)
        if (locked.state, locked.job_id) != (DecisionState.TRAINING, decision.job_id):
            return locked
        return _write(locked, _ending(locked, examined))


def _rows() -> QuerySet[RetrainingDecision]:
    return RetrainingDecision.objects.select_related("model", "job__version__model", "job__version__dataset")


def _write(decision: RetrainingDecision, ending: "Ending") -> RetrainingDecision:
    before = {"state": decision.state}
    decision.state, outcome, decision.deployment = ending
    decision.outcome = outcome[:1000]
    decision.settled_at = timezone.now()
    decision.save(update_fields=["state", "outcome", "deployment", "settled_at"])
    record(
        by=policy_actor(decision.model),
        action=f"retraining.{decision.state}",
        target=decision,
        before=before,
        after={"state": decision.state, "deployment_id": decision.deployment_id},
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
                by=policy_actor(decision.model),
                action="retraining.failed",
                target=decision,
                before={"state": DecisionState.TRAINING},
                after={"state": decision.state},
                outcome=outcome,
            )
    return decision


Ending = tuple[DecisionState, str, Deployment | None]


def _is_over(decision: RetrainingDecision) -> bool:
    if decision.job is None:
        return decision.created_at <= timezone.now() - SUBMITTED_WITHIN
    return not decision.job.is_active


def _made(decision: RetrainingDecision) -> ModelVersion | None:
    job = decision.job
    return job.version if job is not None and job.state == JobState.SUCCEEDED else None


def _examined(version: ModelVersion) -> Examined | PlatformError:
    try:
        return examine(model=version.model, version=version)
    except PlatformError as error:
        return error


def _ending(decision: RetrainingDecision, examined: Examined | PlatformError | None) -> Ending:
    job, version = decision.job, _made(decision)
    if job is None:
        return DecisionState.FAILED, "The training job was lost before it was submitted.", None
    if version is None:
        why = job.error or "It ended without a version."
        return DecisionState.FAILED, f"Job {job.pk} {job.get_state_display().lower()}. {why}", None
    if examined is None:
        outcome = f"{version} is registered; the policy leaves its promotion to people."
        return DecisionState.KEPT, outcome, None
    if isinstance(examined, PlatformError):
        return DecisionState.KEPT, f"{version} was not promoted. {examined.detail}", None
    return _promoted(decision, examined)


def _promoted(decision: RetrainingDecision, examined: Examined) -> Ending:
    version, by = examined.version, policy_actor(decision.model)
    if decision.model.four_eyes and all(gate.passed for gate in examined.gates):
        return _proposed(decision, examined)
    try:
        with tenant_transaction():
            demand_passed(examined=examined, by=by, reason=decision.reason, override=False)
            deployment = move_champion(examined=examined, by=by, reason=decision.reason)
            close_outdated(model=decision.model, champion=version, by=by)
    except GateFailed:
        failed = " ".join(gate.detail for gate in examined.gates if not gate.passed)
        return DecisionState.KEPT, f"{version} did not pass its gates. {failed}", None
    except PlatformError as error:
        return DecisionState.KEPT, f"{version} was not promoted. {error.detail}", None
    return DecisionState.PROMOTED, f"{version} passed its gates and is the champion.", deployment


def _proposed(decision: RetrainingDecision, examined: Examined) -> Ending:
    """Leave the last word to people where the model asks for four eyes: the policy only proposes."""
    version = examined.version
    try:
        propose_examined(examined=examined, by=policy_actor(decision.model), comment=decision.reason)
    except PlatformError as error:
        return DecisionState.KEPT, f"{version} was not proposed. {error.detail}", None
    outcome = f"{version} passed its gates. It is proposed, for {decision.model} asks for approval."
    return DecisionState.KEPT, outcome, None
