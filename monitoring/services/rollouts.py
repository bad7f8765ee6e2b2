"""Rollouts weighed by the outcomes that come back, and what follows: promote, take back, or go on."""

from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.utils import timezone

from feedback.frames import dealt_frame, known_since
from mlplatform.errors import PlatformError
from mlplatform.tenancy.actors import Actor, ActorKind
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from monitoring.services.alerts import close_outdated
from monitoring.services.rollout_words import sentence
from monitoring.statistics.weighing import BAD_NEWS, GOOD_NEWS, Cases, Criteria, Decision, Weighed, weigh
from registry.errors import GateFailed, RolloutOver
from registry.models import Deployment, PromotionRequest, Rollout
from registry.models.request import RequestState
from registry.models.rollout import RolloutKind, RolloutState, WhenGood
from registry.models.version import VersionStatus
from registry.problems import Predictions
from registry.services.champions import champion_of
from registry.services.promotion import Examined, demand_passed, examine, move_champion
from registry.services.requests import comment_on, propose_examined
from registry.services.rollout_ends import end_rollout, lock_rollout, rollout_actor
from registry.services.rollouts import rollouts_overview

# Weighing reads every case. It waits until a hundredth more is known, so that in the life of a rollout each
# is read some hundred times, however often somebody looks; the bounds hold whenever they are taken.
SHARE_OF_NEWS = 100
LATE = timedelta(seconds=10)  # an outcome counts from when it came in, and is seen once it is committed
LONGEST_WAIT = timedelta(hours=1)


def weigh_rollout(*, rollout: Rollout) -> Weighed:
    """Weigh the rollout's outcomes as they are now, store the verdict with it, and return it."""
    began = timezone.now()
    weighed = weigh(_cases(rollout), criteria_of(rollout))
    verdict = weighed.as_json() | {"sentence": sentence(weighed, rollout)}
    with tenant_transaction():
        Rollout.objects.filter(pk=rollout.pk).update(verdict=verdict, weighed_at=began)
    rollout.verdict, rollout.weighed_at = verdict, began
    return weighed


def tend(*, rollout: Rollout, by: Actor | None = None) -> Rollout:
    """Weigh the rollout and do what follows: take the challenger back, promote it, end it, or go on.

    ``by`` is told where a person asked, for whom it is weighed in any case, else once enough is new. What has
    ended stays as it is; of two at once one counts.
    """
    with tenant_transaction():
        rollout = rollouts_overview().get(pk=rollout.pk)
        if by is not None and by.kind is not ActorKind.SYSTEM:
            record(by=by, action="rollout.weighed", target=rollout)
        if not rollout.is_active:
            return rollout
        overtaken = _overtaken(rollout)
    try:
        if overtaken:
            return _overtaken_end(rollout)
        if by is not None or _is_due(rollout):
            weigh_rollout(rollout=rollout)
        return _follow(rollout)
    except RolloutOver:  # somebody else ended it meanwhile
        with tenant_transaction():
            return rollouts_overview().get(pk=rollout.pk)


def criteria_of(rollout: Rollout) -> Criteria:
    """Return by what the rollout is decided."""
    return Criteria(
        margin=rollout.margin,
        alpha=rollout.alpha,
        minimum=rollout.minimum,
        largest_error=rollout.largest_error,
        critical_error=rollout.critical_error,
        least_share=rollout.least_share,
        most_share=rollout.most_share,
        cautious=rollout.kind == RolloutKind.CANARY,
    )


def _is_due(rollout: Rollout) -> bool:
    """Whether so much is new, or so old, that the rollout is to be weighed again."""
    now = timezone.now()
    if rollout.weighed_at is None or rollout.ends_at <= now:
        return True
    since, wanted = rollout.weighed_at - LATE, 1
    if now - rollout.weighed_at < LONGEST_WAIT:
        sides = (rollout.verdict[side]["cases"] for side in ("challenger", "champion"))
        wanted = max(1, sum(sides) // SHARE_OF_NEWS)
    else:
        since -= LONGEST_WAIT  # what a long transaction brought late, too
    found = known_since(rollout.model, since, wanted)
    return found == wanted or (found > 0 and _has_critical(rollout, since))


def _has_critical(rollout: Rollout, since: datetime) -> bool:
    if rollout.critical_error is None:
        return False
    cases = _cases(rollout, since)
    return bool((cases.worst[cases.taken] >= rollout.critical_error).any())


def _cases(rollout: Rollout, since: datetime | None = None) -> Cases:
    """Return the cases whose outcome is known, or came in at ``since`` or later."""
    frame = dealt_frame(rollout, since)
    problem, route = rollout.model.problem, rollout.route
    shares = np.array([route.share(at) for at in frame["created_at"]], dtype="float64")
    within = (shares >= rollout.least_share) & (shares <= rollout.most_share)
    frame, shares = frame[within], shares[within]
    if not len(frame):
        nothing = np.zeros(0)
        return Cases(nothing, nothing, np.zeros(0, dtype=bool), nothing)
    numeric = problem.outcome == "value"
    kind = "float64" if numeric else "object"
    predicted = Predictions(values=frame["predicted"].to_numpy(dtype=kind))
    errors = problem.row_errors(frame["actual"].to_numpy(dtype=kind), predicted)
    taken = (frame["version_id"] == rollout.challenger_id).to_numpy(dtype=bool)
    return Cases(errors, errors if numeric else _surprise(frame, errors), taken, shares)


def _surprise(frame: pd.DataFrame, errors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return how sure each answer was of something else than what happened; of right answers 0."""
    given = frame["given"].to_numpy(dtype="float64")
    return np.where(errors > 0, np.where(np.isnan(given), errors, 1 - given), 0.0)


def _overtaken(rollout: Rollout) -> bool:
    champion = champion_of(rollout.model)
    return (
        champion is None
        or champion.pk != rollout.champion_id
        or rollout.challenger.status != VersionStatus.READY
    )


def _overtaken_end(rollout: Rollout) -> Rollout:
    """End a rollout whose champion no longer runs, or whose challenger can no longer."""
    with tenant_transaction():
        champion = champion_of(rollout.model)
        deployment, state = None, RolloutState.OVERTAKEN
        if champion is not None and champion.pk == rollout.challenger_id:
            deployment = Deployment.objects.filter(version=champion, rollout__isnull=True).first()
            state, why = RolloutState.PROMOTED, f"{champion} was promoted meanwhile."
        elif rollout.challenger.status != VersionStatus.READY:
            why = (
                f"{rollout.challenger} can no longer run: {rollout.challenger.get_status_display().lower()}."
            )
        else:
            why = f"{rollout.champion} is no longer the champion; {champion or 'nothing'} is."
        by = rollout_actor(rollout.model)
        return end_rollout(rollout=rollout, state=state, outcome=why, by=by, deployment=deployment)


def _follow(rollout: Rollout) -> Rollout:
    told, by = rollout.verdict["sentence"], rollout_actor(rollout.model)
    decision = Decision(rollout.verdict["decision"])
    if decision in BAD_NEWS:
        return end_rollout(rollout=rollout, state=RolloutState.ROLLED_BACK, outcome=told, by=by)
    if decision in GOOD_NEWS and rollout.state == RolloutState.RUNNING:
        return _good(rollout, told, by)
    if rollout.ends_at <= timezone.now():
        outcome = f"Its time is over. {told}"
        return end_rollout(rollout=rollout, state=RolloutState.UNDECIDED, outcome=outcome, by=by)
    return rollout


def _good(rollout: Rollout, told: str, by: Actor) -> Rollout:
    """Promote the challenger as far as the rollout and the model allow it."""
    if rollout.when_good == WhenGood.TELL:
        return _kept(rollout, f"{told} Its promotion is left to people.", by)
    try:
        examined = examine(model=rollout.model, version=rollout.challenger)
        if rollout.model.four_eyes and all(gate.passed for gate in examined.gates):
            return _kept(rollout, f"{told} {_proposed(rollout, examined, told, by)}", by)
        demand_passed(examined=examined, by=by, reason=told, override=False)
        with tenant_transaction():
            lock_rollout(rollout)
            deployment = move_champion(examined=examined, by=by, reason=told)
            close_outdated(model=rollout.model, champion=rollout.challenger, by=by)
            state = RolloutState.PROMOTED
            return end_rollout(rollout=rollout, state=state, outcome=told, by=by, deployment=deployment)
    except GateFailed as error:
        failed = " ".join(one["detail"] for one in error.results if not one["passed"])
        return _kept(rollout, f"{told} It did not pass its gates: {failed}", by)
    except RolloutOver:
        raise
    except PlatformError as error:
        return _kept(rollout, f"{told} It was not promoted. {error.detail}", by)


def _kept(rollout: Rollout, outcome: str, by: Actor) -> Rollout:
    return end_rollout(rollout=rollout, state=RolloutState.KEPT, outcome=outcome, by=by)


def _proposed(rollout: Rollout, examined: Examined, told: str, by: Actor) -> str:
    """Leave the last word to people: tell the open request of it, or make one."""
    with tenant_transaction():
        waiting = PromotionRequest.objects.filter(version=rollout.challenger, state=RequestState.OPEN).first()
    if waiting is not None:
        comment_on(request=waiting, by=by, text=told)
    else:
        propose_examined(examined=examined, by=by, comment=told)
    return f"It is proposed, for {rollout.model} asks for approval."
