"""The version is small enough to be kept in memory beside others."""

from typing import Annotated

from msgspec import Meta

from registry.gates.base import Evidence, Gate, Parameters, Verdict


class SizeParameters(Parameters, frozen=True):
    """How large."""

    megabytes: Annotated[
        float, Meta(gt=0, le=1_000_000, description="The stored artefact is no larger than this.")
    ] = 200.0


def check(evidence: Evidence, parameters: SizeParameters) -> Verdict:
    """Compare the size of the stored artefact, 1 MB being 1,000,000 bytes."""
    size = evidence.candidate.artifact_bytes / 1_000_000
    numbers = {"megabytes": round(size, 3), "allowed_megabytes": parameters.megabytes}
    sentence = f"The artefact has {size:.3g} MB; allowed are {parameters.megabytes:g} MB."
    return size <= parameters.megabytes, sentence, numbers


ARTIFACT_SIZE = Gate(
    "artifact_size", "Small enough", "The stored artefact's size is within bounds.", check, SizeParameters
)
