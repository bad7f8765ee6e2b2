"""The version answers real rows."""

from typing import Any

from registry.gates.base import Evidence, Gate
from registry.tabular.schema import coerce_frame

ROWS = 50


def check(evidence: Evidence) -> tuple[bool, str, dict[str, Any]]:
    """Ask the version for a few rows of its hold-out; raises CannotPredict where it fails."""
    plan = evidence.plan(evidence.candidate)
    rows = evidence.holdout().frame.head(ROWS)
    answers = plan.answers(coerce_frame(rows, plan.columns))
    return bool(answers), f"Answered {len(answers)} rows of its hold-out.", {"rows": len(answers)}


SMOKE_PREDICTION = Gate("smoke_prediction", "Answers real rows", check)
