"""A rollout's verdict in words."""

from monitoring.statistics.weighing import Decision, Side, Weighed
from registry.models import Rollout


def sentence(weighed: Weighed, rollout: Rollout) -> str:
    """Say what is known so far and what follows from it."""
    challenger, champion = rollout.challenger, rollout.champion
    if weighed.difference is None or weighed.low is None or weighed.high is None:
        return "No outcome of its cases has come back yet."
    seen = (
        f"{challenger}: {_side(rollout, weighed.challenger)}; "
        f"{champion}: {_side(rollout, weighed.champion)}. "
        f"The difference lies between {_signed(rollout, weighed.low)} and {_signed(rollout, weighed.high)} "
        f"with {1 - rollout.alpha:.0%} certainty, however often one looks."
    )
    return f"{_verdict(weighed, rollout)} {seen}"


def error_name(rollout: Rollout) -> str:
    """Return what is compared."""
    return "mean error" if _numeric(rollout) else "wrong answers"


def error_text(rollout: Rollout, value: float | None) -> str:
    """Return an error in its unit: a share of wrong answers, or the target's own."""
    if value is None:
        return "none yet"
    return f"{value:.4g}" if _numeric(rollout) else f"{value:.1%}"


def _numeric(rollout: Rollout) -> bool:
    return rollout.model.problem.outcome == "value"


def _verdict(weighed: Weighed, rollout: Rollout) -> str:
    name = rollout.challenger
    match weighed.decision:
        case Decision.BETTER:
            return f"{name} is better."
        case Decision.GOOD:
            return f"{name} is not worse by {error_text(rollout, rollout.margin)}, nor shown to be worse."
        case Decision.WORSE:
            return f"{name} is worse."
        case Decision.CRITICAL:
            worst = weighed.worst or 0.0
            how = f"off by {worst:.4g}" if _numeric(rollout) else f"{worst:.1%} sure of a wrong answer"
            return f"{name} made a critical error: it was {how}."
    fewer = min(weighed.challenger.cases, weighed.champion.cases)
    if fewer < rollout.minimum:
        return f"Too early to tell: {fewer} of {rollout.minimum} cases of each version have an outcome."
    return "It cannot be told yet which is better."


def _side(rollout: Rollout, side: Side) -> str:
    return f"{error_name(rollout)} {error_text(rollout, side.error)} over {side.cases:,} cases"


def _signed(rollout: Rollout, value: float) -> str:
    return f"{value:+.4g}" if _numeric(rollout) else f"{value * 100:+.1f} points"
