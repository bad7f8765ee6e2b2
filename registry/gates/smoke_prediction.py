"""The version answers real rows."""

from typing import Annotated

from msgspec import Meta

from registry.gates.base import Evidence, Gate, Parameters, Verdict
from registry.tabular.schema import coerce_frame


class SmokeParameters(Parameters, frozen=True):
    """How many rows are asked."""

    rows: Annotated[int, Meta(ge=1, le=10_000, description="How many rows of the hold-out it is asked.")] = 50


def check(evidence: Evidence, parameters: SmokeParameters) -> Verdict:
    """Ask the version for a few rows of its hold-out; raises CannotPredict where it fails."""
    plan = evidence.plan(evidence.candidate)
    rows = evidence.holdout().frame.head(parameters.rows)
    answers = plan.answers(coerce_frame(rows, plan.columns))
    return bool(answers), f"Answered {len(answers)} rows of its hold-out.", {"rows": len(answers)}


SMOKE_PREDICTION = Gate(
    "smoke_prediction",
    "Answers real rows",
    "The version answers rows of its own hold-out.",
    check,
    SmokeParameters,
    always=True,
    standard=True,
)
