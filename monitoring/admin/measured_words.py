"""How measured values look on the monitoring page."""

from typing import Any

from mlplatform.admin.parts import Badge, Lines
from mlplatform.admin.render import number
from monitoring.statistics.quality import Estimate


def estimate_cell(found: Estimate | None, *also: str) -> Any:
    """Return a value with the interval in which the truth lies, and what else is to be said."""
    if found is None:
        return None
    between = (
        [] if found.low is None or found.high is None else [f"{number(found.low)} to {number(found.high)}"]
    )
    return Lines(number(found.value), [*between, *also])


def ahead_badge(ahead: Estimate | None, *, higher_is_better: bool) -> Badge | None:
    """Return whether a difference to the champion is shown beyond chance."""
    if ahead is None or ahead.low is None or ahead.high is None:
        return None
    if ahead.low <= 0 <= ahead.high:
        return Badge("no difference shown", "muted")
    better = (ahead.low > 0) is higher_is_better
    return Badge("better", "good") if better else Badge("worse", "bad")
