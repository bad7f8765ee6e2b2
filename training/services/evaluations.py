"""Reading what was measured of a version."""

import msgspec

from mlplatform.tenancy.services.settings import setting
from registry.models import ModelVersion
from training.errors import NoEvaluation
from training.evaluation.report import Evaluation, without_personal_groups


def known_evaluation(version: ModelVersion) -> Evaluation | None:
    """Return the version's evaluation as it may be shown, None where its record holds none.

    Groups of personal columns are in it as long as the tenant's settings allow them.
    """
    if not version.evaluation:
        return None
    found = msgspec.convert(version.evaluation, Evaluation)
    bare = without_personal_groups(found)
    told = len(bare.slices) + len(bare.gaps) < len(found.slices) + len(found.gaps)
    return bare if told and not personal_groups_allowed() else found


def personal_groups_allowed() -> bool:
    """Tell whether the active tenant lets groups of personal columns be measured and shown."""
    return bool(setting("measure_personal_groups"))


def find_evaluation(version: ModelVersion) -> Evaluation:
    """Return the version's evaluation; raises NoEvaluation."""
    found = known_evaluation(version)
    if found is None:
        raise NoEvaluation(
            f"{version} has no evaluation: only versions that a training job made here have one. "
            "Train the model again to get a version with its evaluation."
        )
    return found
