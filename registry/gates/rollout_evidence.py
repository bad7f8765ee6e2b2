"""On real cases, dealt out by chance, the candidate was not worse than the champion.

What was foreseen on the hold-out is seen here: the outcomes of a rollout (A/B test or canary) against the
same champion, by bounds that hold however often somebody looked at them (``monitoring.statistics``).
"""

from typing import Annotated

from msgspec import Meta

from registry.gates.base import Evidence, Gate, Parameters, Verdict
from registry.models.rollout import RolloutState


class RolloutParameters(Parameters, frozen=True):
    """On how many cases, and how much may be lost."""

    min_cases: Annotated[
        int, Meta(ge=10, le=1_000_000, description="Fewest cases of each version with a known outcome.")
    ] = 100
    margin: (
        Annotated[
            float,
            Meta(
                ge=0,
                le=1e12,
                description="How much may be lost: share of wrong labels, or the target's unit. Left out: as "
                "the rollout says.",
            ),
        ]
        | None
    ) = None


def check(evidence: Evidence, parameters: RolloutParameters) -> Verdict:
    """Judge by the newest rollout of the candidate against the present champion."""
    if evidence.champion is None:
        return True, "There is no champion yet to compare with.", {}
    rollout = evidence.rollout()
    if rollout is None or not rollout.verdict.get("path"):
        told = "No rollout against the present champion has told anything of it yet."
        return False, f"{told} Start one, as a canary or an A/B test.", {}
    found, margin = rollout.verdict, parameters.margin
    margin = rollout.margin if margin is None else margin
    cases = min(found["challenger"]["cases"], found["champion"]["cases"])
    numbers = {"cases": cases, "margin": margin} | {
        name: found[name] for name in ("difference", "low", "high")
    }
    if rollout.state == RolloutState.ROLLED_BACK:
        return False, f"Its rollout took it back. {rollout.outcome}", numbers
    if cases < parameters.min_cases:
        asked = f"{parameters.min_cases} are asked for"
        return (
            False,
            f"{cases} cases of each version have an outcome; {asked}. Let the rollout go on.",
            numbers,
        )
    passed = found["low"] <= 0 and found["high"] < max(margin, 0.0)
    told = "not worse than" if passed else "not shown to be as good as"
    bound = f"{1 - rollout.alpha:.0%} bound {found['high']:+.3g}, allowed {margin:+.3g}"
    return passed, f"On {cases} real cases of each it is {told} the champion ({bound}).", numbers


ROLLOUT_EVIDENCE = Gate(
    "rollout_evidence",
    "Proven on real cases",
    "A rollout against the present champion (A/B test or canary) showed on outcomes that it is not worse.",
    check,
    RolloutParameters,
)
