"""Which version answers, and with what."""

import logging
from collections.abc import Sequence

import msgspec
from django.db.models import Exists

from registry.errors import AliasNotFound, NoChampion, VersionNotFound, VersionNotReady
from registry.inference.errors import NoTwin
from registry.inference.plan import FAILURES, Plan
from registry.inference.twins import TwinReport
from registry.inference.walking import Walker
from registry.models import Alias, ModelVersion, RegisteredModel, Rollout
from registry.models.deployment import CHAMPION
from registry.models.rollout import RolloutState
from registry.models.version import VersionStatus
from registry.services.answer_cache import ANSWERS
from registry.services.loading import Loaded, loaded
from registry.services.twins import load_twin
from registry.tabular.schema import Column, columns_from_json

logger = logging.getLogger(__name__)

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
        running = Exists(Rollout.objects.filter(model=model, state=RolloutState.RUNNING))
        pointer = named.annotate(tried=running).select_related("version").defer(*unneeded).first()
        if pointer is None and alias:
            raise AliasNotFound(f"Model {model.name} has no alias {alias[:60]!r}. Set it first.")
        if pointer is None:
            raise NoChampion(f"Model {model.name} has no champion. Promote a version first, or name one.")
        version = pointer.version
        version.may_be_tried = pointer.tried
        if name == CHAMPION:
            ANSWERS.champion_is(version)
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
    held, columns, twin = loaded(version), columns_from_json(version.features), load_twin(version)
    walker = None if twin is not None else _walker(version, held, columns)
    return Plan(held.pipeline, columns, version.classes, twin, walker, held.calls)


def _walker(version: ModelVersion, held: Loaded, columns: Sequence[Column]) -> Walker | None:
    """Return the version's walker where one was found to agree with it, made once in this process."""
    found = msgspec.convert(version.twin, TwinReport).walked
    if found is None or found.reason:
        return None
    if held.walker is None:
        try:
            held.walker = Walker(held.pipeline, columns, version.classes)
        except (NoTwin, *FAILURES) as error:  # another release of a library than it was tried with
            logger.error("%s is answered by the original alone: %s", version, error)
    return held.walker
