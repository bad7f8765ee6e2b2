"""The end of a rollout: written once, whoever or whatever ends it."""

from django.utils import timezone

from mlplatform.tenancy.actors import Actor, ActorKind
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from registry.errors import RolloutOver
from registry.models import Deployment, ModelVersion, RegisteredModel, Rollout
from registry.models.rollout import ACTIVE_ROLLOUTS, RolloutState


def rollout_actor(model: RegisteredModel) -> Actor:
    """Return the actor in whose name a rollout of ``model`` acts by itself."""
    return Actor(ActorKind.POLICY, f"of rollouts of {model.name}")


def end_rollout(
    *, rollout: Rollout, state: RolloutState, outcome: str, by: Actor, deployment: Deployment | None = None
) -> Rollout:
    """End the rollout: the champion answers every case again. Of two ends at once one counts.

    Raises RolloutOver where it has ended already.
    """
    values = {
        "state": state,
        "outcome": outcome.strip()[:1000],
        "ended_at": timezone.now(),
        "ended_by": str(by)[:250],
        "deployment": deployment,
    }
    with tenant_transaction():
        before = rollout.state
        if not Rollout.objects.filter(pk=rollout.pk, state__in=ACTIVE_ROLLOUTS).update(**values):
            raise RolloutOver("The rollout has ended already. Look again.")
        record(
            by=by,
            action=f"rollout.{state}",
            target=rollout,
            before={"state": before},
            after={"state": state, "deployment_id": None if deployment is None else deployment.pk},
            challenger=rollout.challenger.number,
            outcome=values["outcome"],
        )
    for name, value in values.items():
        setattr(rollout, name, value)
    return rollout


def give_up(*, challenger: ModelVersion, why: str) -> None:
    """Take a challenger back that cannot answer; nothing where its rollout has ended meanwhile."""
    with tenant_transaction():
        running = Rollout.objects.select_for_update(of=("self",)).select_related("challenger__model", "model")
        for rollout in running.filter(challenger=challenger, state__in=ACTIVE_ROLLOUTS):
            end_rollout(
                rollout=rollout,
                state=RolloutState.ROLLED_BACK,
                outcome=f"{challenger} failed to answer: {why}",
                by=rollout_actor(rollout.model),
            )


def lock_rollout(rollout: Rollout) -> Rollout:
    """Return the row as it is now, locked until the transaction ends; raises RolloutOver where it is over."""
    rows = Rollout.objects.select_for_update(of=("self",))
    locked = rows.select_related("model", "champion__model", "challenger__model").get(pk=rollout.pk)
    if not locked.is_active:
        raise RolloutOver(f"The rollout has ended: {locked.get_state_display().lower()}. Start another one.")
    return locked
