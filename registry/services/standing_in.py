"""What answers where the champion's file is damaged: an earlier champion that is whole.

A damaged file is never parsed, and the model goes on answering. Only whoever asks for the champion gets a
stand-in, is told which version answered and which should have, and only an earlier champion that takes the
same inputs stands in. Who names a version or an alias wants that one or nothing.
"""

from dataclasses import dataclass

from mlplatform.tenancy.scope import tenant_transaction
from registry.errors import ArtifactCorrupt
from registry.inference.plan import Plan
from registry.models import ModelVersion
from registry.services.champions import earlier_champions
from registry.services.plans import plan_for


@dataclass(frozen=True)
class Answering:
    """The version that answers with its plan; ``instead_of`` is the number of the one that should have."""

    version: ModelVersion
    plan: Plan
    instead_of: int | None = None


def answering_for(champion: ModelVersion) -> Answering:
    """Return the champion, or the nearest earlier one that is whole and takes the same inputs.

    Raises ArtifactCorrupt, the champion's own, where there is none.
    """
    try:
        return Answering(champion, plan_for(champion))
    except ArtifactCorrupt:
        for earlier in _fit_to_stand_in(champion):
            try:
                return Answering(earlier, plan_for(earlier), champion.number)
            except ArtifactCorrupt:
                continue  # damaged as well, which its own refusal tells
        raise


def _fit_to_stand_in(champion: ModelVersion) -> list[ModelVersion]:
    with tenant_transaction():
        earlier = earlier_champions(champion.model)
        fit = [version for version in earlier if _inputs(version) == _inputs(champion)]
    for version in fit:
        version.model = champion.model  # as it is remembered: naming the version costs no query
    return fit


def _inputs(version: ModelVersion) -> set[tuple[str, str]]:
    return {(column["name"], column["type"]) for column in version.features}
