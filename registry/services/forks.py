"""The fork in a request's way: the champion goes on, a rollout's challenger answers the cases dealt to it.

Both ways of answering, the long one and the short one, deal and answer here. Each row is answered by one
version alone, and says by which. Whoever names a version or an alias gets what was named: such rows are in
no rollout.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from registry.errors import CannotPredict, ChallengerFailed
from registry.inference.answers import RowAnswer
from registry.inference.engines import Engine
from registry.inference.plan import Plan
from registry.inference.routing import Route
from registry.inference.schema import check_rows
from registry.models import ModelVersion, RegisteredModel, Rollout
from registry.models.rollout import RolloutState
from registry.models.version import VersionStatus
from registry.services.answer_cache import ask_model
from registry.services.plans import UNNEEDED


@dataclass(frozen=True)
class Fork:
    """A challenger beside the champion: how it answers, and how the rollout deals cases out."""

    rollout: int
    route: Route
    version: ModelVersion
    plan: Plan


@dataclass(frozen=True)
class Dealt:
    """For each row of one request whether it is the challenger's."""

    fork: Fork
    taken: Sequence[bool]


class Given(NamedTuple):
    """One row's answer, who gave it, and the number of the rollout that dealt it, if one did.

    ``cached`` answers were given before, and kept in memory.
    """

    answer: RowAnswer
    version: ModelVersion
    engine: Engine
    rollout: int | None
    cached: bool = False


def running_rollout(model: RegisteredModel, champion: ModelVersion) -> Rollout | None:
    """Return the rollout that runs against this champion, with a challenger that may answer."""
    if not champion.may_be_tried:
        return None
    unneeded = [f"challenger__{name}" for name in UNNEEDED if name != "conformal"]
    running = Rollout.objects.filter(
        model=model,
        champion=champion,
        state=RolloutState.RUNNING,
        challenger__status=VersionStatus.READY,
    )
    found = running.select_related("challenger").defer("verdict", *unneeded).first()
    if found is not None:
        found.challenger.model = model  # known already: naming the version costs no query
    return found


def deal(
    fork: Fork | None,
    rows: Sequence[dict[str, Any]],
    entities: Sequence[str],
    request_id: str,
    now: datetime,
    columns: Sequence[Any],
) -> Dealt | None:
    """Deal a request's rows out, each by its case; those without a case go together, by the request's id.

    ``columns`` are the champion's, which the rows fit. None where the request is outside of any rollout, as
    one is whose rows do not fit the challenger, whoever they would have been dealt to: were the champion's
    kept, the two would answer different kinds of cases.
    """
    if fork is None or not (request_id or all(entities)):
        return None
    if columns != fork.plan.columns and check_rows(rows, fork.plan.columns):
        return None
    return Dealt(fork, fork.route.taken([entity or request_id for entity in entities], now))


def answered(
    version: ModelVersion, plan: Plan, rows: Sequence[dict[str, Any]], dealt: Dealt | None = None
) -> list[Given]:
    """Answer each row by the version that it was dealt to, in their order; without a deal all by ``version``.

    Raises CannotPredict, or of the challenger ChallengerFailed.
    """
    if dealt is None:
        return _given(version, plan, rows, None)
    fork, found = dealt.fork, dict[int, Given]()
    for side, by, engine in ((False, version, plan), (True, fork.version, fork.plan)):
        places = [place for place, taken in enumerate(dealt.taken) if taken is side]
        if not places:
            continue
        try:
            theirs = _given(by, engine, [rows[place] for place in places], fork.rollout)
        except CannotPredict as error:
            if not side:
                raise
            raise ChallengerFailed(error.detail) from error
        found |= zip(places, theirs, strict=True)
    return [found[place] for place in range(len(rows))]


def _given(
    version: ModelVersion, plan: Plan, rows: Sequence[dict[str, Any]], rollout: int | None
) -> list[Given]:
    asked = ask_model(version.model, version, plan, rows)
    if not asked.remembered:
        return [Given(answer, version, asked.engine, rollout) for answer in asked.answers]
    return [
        Given(answer, version, asked.engine_of(position), rollout, position in asked.remembered)
        for position, answer in enumerate(asked.answers)
    ]
