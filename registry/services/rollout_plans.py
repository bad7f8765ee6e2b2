"""How a rollout's share grows: as people write it, as programs send it, and as it is stored."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from registry.errors import InvalidRollout
from registry.inference.routing import Step
from registry.models.rollout import LEAST_SHARE, LONGEST_DAYS, MOST_SHARE, RolloutKind

MOST_STEPS = 50
EXAMPLE = "5% now, 25% after 24h, 50% after 2d"
HOURS = {"min": 1 / 60, "h": 1.0, "d": 24.0}
PART = re.compile(
    r"(?P<share>[0-9]{1,3}(?:\.[0-9]{1,4})?)\s*%\s*(?:now|(?:after\s+)?(?P<time>[0-9]{1,5}(?:\.[0-9]{1,4})?)\s*(?P<unit>min|h|d))?"
)


@dataclass(frozen=True)
class Planned:
    """The challenger has this share of the cases, 0 to 1, from so many hours on."""

    share: float
    hours: float = 0.0


USUAL_PLANS: dict[str, tuple[Planned, ...]] = {
    RolloutKind.AB: (Planned(0.5),),
    RolloutKind.CANARY: (Planned(0.05), Planned(0.25, 24), Planned(0.5, 48)),
}


def plan_from_text(text: str) -> list[Planned]:
    """Read a plan such as "5% now, 25% after 24h, 50% after 2d"; raises InvalidRollout."""
    parts = [part.strip() for part in text.strip().split(",")]
    found = [PART.fullmatch(part) for part in parts]
    plan = [
        Planned(float(one["share"]) / 100, float(one["time"] or 0) * HOURS[one["unit"] or "h"])
        for one in found
        if one is not None
    ]
    if len(plan) != len(parts):
        wrong = next(part for part, one in zip(parts, found, strict=True) if one is None)
        raise _wrong(f"{wrong[:40]!r} is no step. Write shares and times like {EXAMPLE}.")
    return plan


def plan_as_text(plan: Sequence[Planned]) -> str:
    """Return a plan as people write it."""
    return ", ".join(f"{one.share * 100:g}% {_time(one.hours)}" for one in plan)


def check_plan(plan: Sequence[Planned], least: float = LEAST_SHARE, most: float = MOST_SHARE) -> None:
    """Raise InvalidRollout where the plan does not begin now, goes back in time, or leaves these shares."""
    if not 1 <= len(plan) <= MOST_STEPS:
        raise _wrong(f"A plan has 1 to {MOST_STEPS} steps, for example {EXAMPLE}.")
    if plan[0].hours != 0:
        raise _wrong(f"The first step holds from now on, for example {EXAMPLE}.")
    if any(after.hours <= before.hours for before, after in pairwise(plan)):
        raise _wrong("Each step comes later than the one before it.")
    if plan[-1].hours > LONGEST_DAYS * 24:
        raise _wrong(f"The last step comes within {LONGEST_DAYS} days.")
    if any(not least <= one.share <= most for one in plan):
        why = "Without some cases for either version there is nothing to compare."
        if (least, most) != (LEAST_SHARE, MOST_SHARE):
            why = "The comparison was laid out for these; for others stop it and start another one."
        raise _wrong(f"Shares lie between {least:.0%} and {most:.0%}. {why}")


def steps_of(plan: Sequence[Planned], start: datetime) -> list[Step]:
    """Return the plan's steps when it begins at ``start``."""
    return [Step(start + timedelta(hours=one.hours), one.share) for one in plan]


def _time(hours: float) -> str:
    if not hours:
        return "now"
    if hours < 1:
        return f"after {hours * 60:g}min"
    return f"after {hours / 24:g}d" if hours % 24 == 0 and hours > 24 else f"after {hours:g}h"


def _wrong(problem: str) -> InvalidRollout:
    return InvalidRollout(problem, fields={"plan": [problem]})
