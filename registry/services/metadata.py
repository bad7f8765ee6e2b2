"""What a model takes and answers, for clients that ask before they send."""

from typing import Any

from registry.inference.plan import Plan
from registry.models import ModelVersion, RegisteredModel
from registry.models.version import VersionStatus
from registry.protocols.answer_tensors import output_metadata
from registry.protocols.open_inference import input_metadata
from registry.services.plans import answering_version, plan_for
from registry.services.standing_in import answering_for

PLATFORM = "sklearn"


def readied(
    model: RegisteredModel, version: int | None = None, alias: str | None = None
) -> tuple[ModelVersion, Plan]:
    """Return the version that answers, with its plan in memory; for a damaged champion its stand-in.

    Raises what ``answering_version`` raises, and ArtifactCorrupt.
    """
    wanted = answering_version(model, version, alias)
    if version is not None or alias is not None:
        return wanted, plan_for(wanted)
    found = answering_for(wanted)
    return found.version, found.plan


def model_metadata(
    model: RegisteredModel, version: int | None = None, alias: str | None = None
) -> dict[str, Any]:
    """Return the model's metadata in the words of the Open Inference Protocol; raises as ``readied``."""
    _, plan = readied(model, version, alias)
    numbers = ModelVersion.objects.filter(model=model, status=VersionStatus.READY).order_by("number")
    return {
        "name": model.name,
        "versions": [str(number) for number in numbers.values_list("number", flat=True)],
        "platform": PLATFORM,
        "inputs": input_metadata(plan.columns),
        "outputs": output_metadata(model.problem_type, _shares(plan)),
    }


def _shares(plan: Plan) -> int | None:
    """Return how many probabilities an answer has, -1 where only the answers tell, None for none."""
    if plan.classes is not None:
        return len(plan.classes) if hasattr(plan.pipeline, "predict_proba") else None
    steps = getattr(plan.pipeline, "steps", None)
    return -1 if steps and hasattr(steps[-1][1], "predict_membership") else None
