"""What comes of a retraining once its job has ended."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone

from mlplatform.errors import PlatformError
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import fields_of, record
from monitoring.deciding.terms import Cause
from monitoring.models import RetrainingDecision, RetrainingPolicy
from monitoring.models.policy import DecisionState, OnSuccess
from monitoring.services.actors import policy_actor
from monitoring.services.alerts import close_outdated
from monitoring.services.policies import policy_of, quiet_hours_of
from registry.errors import GateFailed
from registry.models import Deployment, ModelVersion, PromotionRequest
from registry.services.champions import champion_of
from registry.services.promotion import Examined, demand_passed, examine, move_champion
from registry.services.requests import propose_examined
from training.models import JobState
from training.models.job import Trigger

SUBMITTED_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True)
class Ending:
    """What came of it, in words, with what it led to."""

    state: DecisionState
    outcome: str
    deployment: Deployment | None = None
    request: PromotionRequest | None = None
    gates: list[dict[str, Any]] = field(default_factory=list)


def pending_decisions() -> list[int]:
    """Return the keys of the tenant's decisions whose retraining has not been settled yet."""
    with tenant_transaction():
        pending = RetrainingDecision.objects.filter(state=DecisionState.TRAINING)
        return list(pending.order_by("pk").values_list("pk", flat=True))


def decision_behind(version: ModelVersion) -> RetrainingDecision | None:
    """Return the decision whose job made the version, or None.

    Of a version that a schedule has trained, one is made where the policy treats such versions likewise.
    """
    with tenant_transaction():
        found = RetrainingDecision.objects.filter(job__version=version).first()
    return found or _of_schedule(version)


def _of_schedule(version: ModelVersion) -> RetrainingDecision | None:
    with tenant_transaction():
        job = version.model.jobs.filter(version=version, trigger=Trigger.SCHEDULE).first()
        policy = RetrainingPolicy.objects.filter(model=version.model, enabled=True, on_schedule=True)
        if job is None or not policy.exists():
            return None
    try:
        with tenant_transaction():
            decision = RetrainingDecision.objects.create(
                model=version.model,
                rule=Cause.SCHEDULE,
                champion=champion_of(version.model),
                state=DecisionState.TRAINING,
                reason=f"A schedule's job {job.pk} has trained {version}.",
                inputs={"dataset": version.dataset_id},
                job=job,
            )
            after = fields_of(decision, "created_at")
            record(by=policy_actor(version.model), action="retraining.decided", target=decision, after=after)
    except IntegrityError:  # another message about it came first, or another retraining is on its way
        with tenant_transaction():
            return RetrainingDecision.objects.filter(job=job).first()
    return decision


def settle(*, decision: RetrainingDecision) -> RetrainingDecision:
    """Act on the job's end: propose or promote the new version where the policy says so and its gates pass.

    Leaves a decision alone whose job still runs, that waits for the end of the quiet hours, or that was
    settled before: the row stays locked while the outcome is written, so settling twice does it once.
    """
    with tenant_transaction():
        decision = _rows().get(pk=decision.pk)
        policy = policy_of(decision.model)
    if decision.state != DecisionState.TRAINING or not _is_over(decision):
        return decision
    version, wanted = _made(decision), OnSuccess(policy.on_success)
    if version is not None and wanted is OnSuccess.PROMOTE and _is_quiet(policy):
        return decision
    examined = _examined(version) if version is not None and wanted is not OnSuccess.TELL else None
    with tenant_transaction():
        locked = _rows().select_for_update(of=("self",)).get(pk=decision.pk)
        if (locked.state, locked.job_id) != (DecisionState.TRAINING, decision.job_id):
            return locked
        return _write(locked, _ending(locked, examined, wanted))


def _is_quiet(policy: RetrainingPolicy) -> bool:
    quiet = quiet_hours_of(policy)
    return quiet is not None and quiet.hold(timezone.now())


def _rows() -> QuerySet[RetrainingDecision]:
    return RetrainingDecision.objects.select_related("model", "job__version__model", "job__version__dataset")


def _write(decision: RetrainingDecision, ending: Ending) -> RetrainingDecision:
    before = {"state": decision.state}
    decision.state, decision.outcome = ending.state, ending.outcome[:1000]
    decision.deployment, decision.request, decision.gates = ending.deployment, ending.request, ending.gates
    decision.settled_at = timezone.now()
    decision.save(update_fields=["state", "outcome", "deployment", "request", "gates", "settled_at"])
    record(
        by=policy_actor(decision.model),
        action=f"retraining.{decision.state}",
        target=decision,
        before=before,
        after={
            "state": decision.state,
            "deployment_id": decision.deployment_id,
            "request_id": decision.request_id,
        },
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


def _ending(
    decision: RetrainingDecision, examined: Examined | PlatformError | None, wanted: OnSuccess
) -> Ending:
    job, version = decision.job, _made(decision)
    if job is None:
        return Ending(DecisionState.FAILED, "The training job was lost before it was submitted.")
    if version is None:
        why = job.error or "It ended without a version."
        return Ending(DecisionState.FAILED, f"Job {job.pk} {job.get_state_display().lower()}. {why}")
    if examined is None:
        outcome = f"{version} is registered; the policy leaves its promotion to people."
        return Ending(DecisionState.KEPT, outcome)
    if isinstance(examined, PlatformError):
        return Ending(DecisionState.KEPT, f"{version} was not promoted. {examined.detail}")
    return _examined_ending(decision, examined, wanted)


def _examined_ending(decision: RetrainingDecision, examined: Examined, wanted: OnSuccess) -> Ending:
    version, gates = examined.version, [gate.as_json() for gate in examined.gates]
    if not all(gate.passed for gate in examined.gates):
        _refused(decision, examined)
        failed = " ".join(gate.detail for gate in examined.gates if not gate.passed)
        return Ending(DecisionState.KEPT, f"{version} did not pass its gates. {failed}", gates=gates)
    if wanted is OnSuccess.PROPOSE or decision.model.four_eyes:
        return _proposed(decision, examined, gates)
    by = policy_actor(decision.model)
    try:
        with tenant_transaction():
            deployment = move_champion(examined=examined, by=by, reason=decision.reason)
            close_outdated(model=decision.model, champion=version, by=by)
    except PlatformError as error:
        return Ending(DecisionState.KEPT, f"{version} was not promoted. {error.detail}", gates=gates)
    told = f"{version} passed its gates and is the champion."
    return Ending(DecisionState.PROMOTED, told, deployment=deployment, gates=gates)


def _refused(decision: RetrainingDecision, examined: Examined) -> None:
    """Leave the refusal in the trail, as that of a person would be."""
    try:
        demand_passed(examined=examined, by=policy_actor(decision.model), reason="", override=False)
    except GateFailed:
        return


def _proposed(decision: RetrainingDecision, examined: Examined, gates: list[dict[str, Any]]) -> Ending:
    """Leave the last word to people, where the policy or the model asks for it."""
    version = examined.version
    try:
        request = propose_examined(
            examined=examined, by=policy_actor(decision.model), comment=decision.reason
        )
    except PlatformError as error:
        return Ending(DecisionState.KEPT, f"{version} was not proposed. {error.detail}", gates=gates)
    why = f"{decision.model} asks for approval" if decision.model.four_eyes else "the policy asks for it"
    outcome = f"{version} passed its gates. It is proposed, for {why}."
    return Ending(DecisionState.PROPOSED, outcome, request=request, gates=gates)
