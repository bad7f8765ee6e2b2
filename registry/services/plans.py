"""Which version answers, and with what."""

from registry.errors import AliasNotFound, NoChampion, VersionNotFound, VersionNotReady
from registry.inference.plan import Plan
from registry.models import Alias, ModelVersion, RegisteredModel
from registry.models.deployment import CHAMPION
from registry.models.version import VersionStatus
from registry.services.loading import load_pipeline
from registry.services.twins import load_twin
from registry.tabular.schema import columns_from_json

# Large columns that answering does not need.
UNNEEDED = (
    "reference",
    "evaluation",
    "conformal",
    "importance",
    "metrics",
    "cv_metrics",
    "params",
    "environment",
    "twin",
)


def answering_version(
    model: RegisteredModel, number: int | None = None, alias: str | None = None
) -> ModelVersion:
    """Return the champion, read afresh so that a promotion counts at once, or the version asked for.

    ``alias`` names it by what points to it. Raises NoChampion, AliasNotFound, VersionNotFound,
    VersionNotReady.
    """
    if number is None:
        unneeded = [f"version__{name}" for name in UNNEEDED]
        name = (alias or CHAMPION).replace("\x00", "")  # which PostgreSQL takes in no text
        named = Alias.objects.filter(model=model, name=name)
        pointer = named.select_related("version").defer(*unneeded).first()
        if pointer is None and alias:
            raise AliasNotFound(f"Model {model.name} has no alias {alias[:60]!r}. Set it first.")
        if pointer is None:
            raise NoChampion(f"Model {model.name} has no champion. Promote a version first, or name one.")
        version = pointer.version
    else:
        found = ModelVersion.objects.filter(model=model, number=number).defer(*UNNEEDED).first()
        if found is None:
            raise VersionNotFound(f"Model {model.name} has no version {number}.")
        version = found
    version.model = model  # known already: naming the version costs no query
    if version.status != VersionStatus.READY:
        raise VersionNotReady(f"{version} is {version.get_status_display().lower()}. Choose a ready version.")
    return version


def plan_for(version: ModelVersion) -> Plan:
    """Return what is needed to answer with this version; raises ArtifactCorrupt."""
    return Plan(
        load_pipeline(version), columns_from_json(version.features), version.classes, load_twin(version)
    )
