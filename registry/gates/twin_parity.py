"""The version's twin answers as the version does."""

from typing import Annotated, Literal

from msgspec import Meta

from registry.gates.base import Evidence, Gate, Parameters, Verdict
from registry.inference.agreement import check_twin
from registry.inference.twins import TOLERANCE
from registry.tabular.schema import coerce_frame


class TwinParameters(Parameters, frozen=True):
    """How near, and whether there must be a twin at all."""

    tolerance: Annotated[
        float,
        Meta(ge=0, le=1, description="How far two probabilities, or numbers as a share, may be apart."),
    ] = TOLERANCE
    without: Annotated[
        Literal["pass", "fail"], Meta(description="What becomes of a version that has no twin in ONNX.")
    ] = "pass"


def check(evidence: Evidence, parameters: TwinParameters) -> Verdict:
    """Ask both about the hold-out, the twin as stored now and as a client would ask it."""
    version, plan = evidence.candidate, evidence.plan(evidence.candidate)
    if not version.twin_file:
        reason = version.twin.get("reason") or "it was made before there were twins."
        return (
            parameters.without == "pass",
            f"There is no twin: {reason} The original answers all requests.",
            {},
        )
    if plan.twin is None:
        return False, "The stored twin is damaged or gone. The original answers all requests.", {}
    rows = coerce_frame(evidence.holdout().frame, plan.columns)
    report = check_twin(plan.twin, plan.predict, rows, plan.columns, tolerance=parameters.tolerance)
    numbers = {
        "rows": report.rows,
        "labels_differing": report.labels,
        "difference": report.difference,
        "tolerance": report.tolerance,
    }
    sentence = report.reason or (
        f"On {report.rows} rows every label is the same, and no number is more than "
        f"{report.difference:.2g} off; {report.tolerance:g} is allowed."
    )
    return not report.reason, sentence, numbers


TWIN_PARITY = Gate(
    "twin_parity",
    "Twin in ONNX agrees",
    "The twin that answers small requests gives the original's answers on the hold-out.",
    check,
    TwinParameters,
)
