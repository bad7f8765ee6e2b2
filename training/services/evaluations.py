"""Reading what was measured of a version."""

import msgspec

from registry.models import ModelVersion
from training.errors import NoEvaluation
from training.evaluation.report import Evaluation


def known_evaluation(version: ModelVersion) -> Evaluation | None:
    """Return the version's evaluation, None where its record holds none."""
    return msgspec.convert(version.evaluation, Evaluation) if version.evaluation else None


def find_evaluation(version: ModelVersion) -> Evaluation:
    """Return the version's evaluation; raises NoEvaluation."""
    found = known_evaluation(version)
    if found is None:
        raise NoEvaluation(
            f"{version} has no evaluation: only versions that a training job made here have one. "
            "Train the model again to get a version with its evaluation."
        )
    return found
