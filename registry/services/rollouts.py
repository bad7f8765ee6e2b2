"""Rollouts: starting one, and what people do with it while it runs."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from registry.errors import (
    AlreadyChampion,
    ApprovalNeeded,
    GateFailed,
    NoChampion,
    RolloutActive,
    RolloutNotFound,
    RolloutOver,
)
from registry.inference.routing import Step
from registry.models import Deployment, ModelVersion, PromotionRequest, RegisteredModel, Rollout
from registry.models.request import RequestState
from registry.models.rollout import ACTIVE_ROLLOUTS, RolloutKind, RolloutState, WhenGood, stored_step
from registry.services.champions import champion_of
from registry.services.gates import evaluate_gates
from registry.services.listings import HEAVY_VERSION_COLUMNS
from registry.services.promotion import check_deployable, demand_passed, examine, promote_examined
from registry.services.requests import hand_of
from registry.services.rollout_ends import end_rollout, lock_rollout
from registry.services.rollout_judging import judging
from registry.services.rollout_plans import USUAL_PLANS, Planned, check_plan, steps_of

# Without these a challenger must not get a single case, whatever gates the model demands of a champion.
SAFETY_GATES = frozenset({"artifact_integrity", "smoke_prediction", "schema_compatible"})
EVEN = 0.5  # the comparison of every rollout is laid out for shares up to it


def start_rollout(
    *,
    model: RegisteredModel,
    challenger: ModelVersion,
    by: Actor,
    kind: str = RolloutKind.CANARY,
    plan: Sequence[Planned] | None = None,
    when_good: str = WhenGood.PROMOTE,
    reason: str = "",
    **given: Any,
) -> Rollout:
    """Let ``challenger`` answer a share of the cases, by ``plan``, until it is known which is better.

    ``given`` are how it is judged: margin, alpha, minimum, largest_error, critical_error, days; what is left
    out follows from the kind and the champion (``rollout_judging``).

    Raises InvalidRollout, NoChampion, AlreadyChampion, VersionOfAnotherModel, VersionNotReady, GateFailed
    where the challenger is not whole, does not answer, or takes other rows than the champion; ApprovalNeeded
    where the model asks for four eyes and nobody else has proposed it; RolloutActive.
    """
    chosen = USUAL_PLANS[RolloutKind(kind)] if plan is None else plan
    check_plan(chosen)
    check_deployable(model, challenger)
    champion = _opponent(model, challenger, by)
    judged = judging(model=model, champion=champion, kind=kind, given=given)
    _demand_safe(model, challenger)
    now = timezone.now()
    shares = [one.share for one in chosen]
    rollout = Rollout(
        model=model,
        champion=champion,
        challenger=challenger,
        kind=RolloutKind(kind),
        when_good=WhenGood(when_good),
        salt=uuid4().hex,
        steps=[stored_step(step) for step in steps_of(chosen, now)],
        least_share=min(shares),
        most_share=max(EVEN, *shares),
        reason=reason.strip()[:500],
        actor_kind=by.kind,
        actor_label=by.label[:200],
        ends_at=now + timedelta(days=judged.days),
        **judged.stored(),
    )
    return _created(rollout, by)


def _opponent(model: RegisteredModel, challenger: ModelVersion, by: Actor) -> ModelVersion:
    """Return the champion, where a rollout of the challenger against it may begin."""
    with tenant_transaction():
        champion = champion_of(model)
        if champion is None:
            raise NoChampion(f"Model {model.name} has no champion to compare with. Promote a version first.")
        if champion.pk == challenger.pk:
            raise AlreadyChampion(f"{challenger} is the champion already. Choose another version.")
        _demand_second_person(model, challenger, by)
        _refuse_second(model)
    return champion


def ramp(*, rollout: Rollout, plan: Sequence[Planned], by: Actor, reason: str = "") -> Rollout:
    """Put another plan in the place of the steps to come; it begins as soon as every process knows it.

    Raises RolloutOver where it does not run, InvalidRollout.
    """
    check_plan(plan, rollout.least_share, rollout.most_share)
    with tenant_transaction():
        locked = lock_rollout(rollout)
        _demand_state(locked, RolloutState.RUNNING, "It is paused. Resume it first.")
        now = timezone.now()
        # All processes then change at the same moment, so what was dealt by which share is known exactly.
        begin = now + timedelta(seconds=2 * settings.SERVING_MEMORY_SECONDS)
        kept = [step for step in locked.route.steps if step.at <= now]
        steps = [stored_step(step) for step in [*kept, *steps_of(plan, begin)]]
        return _changed(rollout, "ramped", by, reason, before=locked, steps=steps)


def pause(*, rollout: Rollout, by: Actor, reason: str = "") -> Rollout:
    """Give every case to the champion for now, and stop the plan's clock; raises RolloutOver."""
    with tenant_transaction():
        locked = lock_rollout(rollout)
        _demand_state(locked, RolloutState.RUNNING, "It is paused already.")
        changes = {"state": RolloutState.PAUSED, "paused_at": timezone.now()}
        return _changed(rollout, "paused", by, reason, before=locked, **changes)


def resume(*, rollout: Rollout, by: Actor, reason: str = "") -> Rollout:
    """Go on where it was paused, the steps to come later by the pause; raises RolloutOver."""
    with tenant_transaction():
        locked = lock_rollout(rollout)
        _demand_state(locked, RolloutState.PAUSED, "It runs already.")
        now = timezone.now()
        since = locked.paused_at or now
        late = [
            Step(one.at + (now - since), one.share) if one.at > since else one for one in locked.route.steps
        ]
        changes = {
            "state": RolloutState.RUNNING,
            "paused_at": None,
            "steps": [stored_step(step) for step in late],
        }
        return _changed(rollout, "resumed", by, reason, before=locked, **changes)


def stop(*, rollout: Rollout, by: Actor, reason: str = "") -> Rollout:
    """End it by hand: the champion answers every case again; raises RolloutOver."""
    with tenant_transaction():
        lock_rollout(rollout)
        outcome = reason.strip() or "Stopped by hand."
        return end_rollout(rollout=rollout, state=RolloutState.STOPPED, outcome=outcome, by=by)


def promote_challenger(
    *, rollout: Rollout, by: Actor, reason: str = "", override: bool = False
) -> Deployment:
    """Make the challenger the champion now, whatever is known; raises RolloutOver and as ``promote``."""
    if not rollout.is_active:
        raise RolloutOver("The rollout has ended. Promote the version on its own page.")
    examined = examine(model=rollout.model, version=rollout.challenger)
    why = reason.strip() or ("" if override else f"{rollout} was promoted by hand.")
    demand_passed(examined=examined, by=by, reason=why, override=override)
    with tenant_transaction():
        lock_rollout(rollout)
        deployment = promote_examined(examined=examined, by=by, reason=why, override=override)
        state = RolloutState.PROMOTED
        end_rollout(rollout=rollout, state=state, outcome=why, by=by, deployment=deployment)
    return deployment


def rollouts_overview() -> QuerySet[Rollout]:
    """Return every rollout of the tenant, newest first, without large columns of its versions."""
    heavy = [f"{link}__{name}" for link in ("champion", "challenger") for name in HEAVY_VERSION_COLUMNS]
    rows = Rollout.objects.select_related("model", "champion__model", "challenger__model", "deployment")
    return rows.defer(*heavy, "deployment__gates")


def find_rollout(model: RegisteredModel, pk: int) -> Rollout:
    """Return the model's rollout of this number; raises RolloutNotFound."""
    found = rollouts_overview().filter(model=model, pk=pk).first()
    if found is None:
        raise RolloutNotFound(
            f"{model.name} has no rollout {pk}. List them at /api/v1/models/{model.name}/rollouts."
        )
    return found


def active_rollout(model: RegisteredModel) -> Rollout:
    """Return the model's rollout that runs or is paused; raises RolloutNotFound."""
    found = rollouts_overview().filter(model=model, state__in=ACTIVE_ROLLOUTS).first()
    if found is None:
        raise RolloutNotFound(f"No rollout of {model.name} runs. Start one first.")
    return found


def _demand_second_person(model: RegisteredModel, challenger: ModelVersion, by: Actor) -> None:
    """Where nobody promotes alone, nobody lets a version answer real cases alone either."""
    if not model.four_eyes:
        return
    proposals = PromotionRequest.objects.filter(version=challenger, state=RequestState.OPEN)
    if not proposals.filter(expires_at__gt=timezone.now()).exclude(hand=hand_of(by)).exists():
        raise ApprovalNeeded(
            f"{model.name} asks for two people: one proposes {challenger}, another one starts its rollout."
        )


def _refuse_second(model: RegisteredModel) -> None:
    if Rollout.objects.filter(model=model, state__in=ACTIVE_ROLLOUTS).exists():
        raise _active_already(model)


def _active_already(model: RegisteredModel) -> RolloutActive:
    return RolloutActive(f"A rollout of {model.name} is under way. Let it end, or stop it first.")


def _demand_safe(model: RegisteredModel, challenger: ModelVersion) -> None:
    results = evaluate_gates(model=model, candidate=challenger, only=SAFETY_GATES)
    failed = [gate for gate in results if not gate.passed]
    if failed:
        told = " ".join(gate.detail for gate in failed)
        raise GateFailed(
            f"{challenger} cannot stand in for the champion: {told} Nothing was started.",
            results=[gate.as_json() for gate in results],
        )


def _created(rollout: Rollout, by: Actor) -> Rollout:
    try:
        with tenant_transaction():
            rollout.save()
            record(by=by, action="rollout.started", target=rollout, after=_told(rollout))
    except IntegrityError as error:
        raise _active_already(rollout.model) from error
    return rollout


def _told(rollout: Rollout) -> dict[str, Any]:
    names = ("kind", "steps", "when_good", "margin", "alpha", "minimum", "largest_error", "critical_error")
    told = {name: getattr(rollout, name) for name in names}
    return {"challenger": rollout.challenger.number, "champion": rollout.champion.number, **told}


def _demand_state(rollout: Rollout, state: RolloutState, otherwise: str) -> None:
    if rollout.state != state:
        raise RolloutOver(otherwise)


def _changed(
    rollout: Rollout, verb: str, by: Actor, reason: str, *, before: Rollout, **changes: Any
) -> Rollout:
    Rollout.objects.filter(pk=rollout.pk).update(**changes)
    record(
        by=by,
        action=f"rollout.{verb}",
        target=rollout,
        before=_plain({name: getattr(before, name) for name in changes}),
        after=_plain(changes),
        reason=reason.strip()[:500],
    )
    for name, value in changes.items():
        setattr(rollout, name, value)
    return rollout


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "paused_at"}
