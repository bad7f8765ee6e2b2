"""The checks of the training data found nothing that was not allowed."""

from typing import Annotated

from msgspec import Meta

from registry.gates.base import Evidence, Gate, Parameters, Verdict

PASSED = "passed"


class DataCheckParameters(Parameters, frozen=True):
    """How much may be found."""

    warnings: Annotated[
        int, Meta(ge=0, le=1000, description="How many of the checks may have found something.")
    ] = 0


def check(evidence: Evidence, parameters: DataCheckParameters) -> Verdict:
    """Count what the checks found when the version was trained; without a record the gate is not passed."""
    findings = evidence.findings()
    if findings is None:
        return False, "No training job tells what the checks of its data found. Train it here.", {}
    found = [one["message"] for one in findings if one["verdict"] != PASSED]
    numbers = {"checks": len(findings), "found": len(found), "allowed": parameters.warnings}
    if not found:
        return True, f"All {len(findings)} checks of its data found nothing.", numbers
    sentence = f"{len(found)} of {len(findings)} checks of its data found something"
    return len(found) <= parameters.warnings, f"{sentence}: {' '.join(found[:5])}", numbers


DATA_CHECKS = Gate(
    "data_checks",
    "Trained on sound data",
    "Leakage, repeated rows, empty columns and the like were looked for when it was trained.",
    check,
    DataCheckParameters,
)
