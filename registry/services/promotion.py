"""Changing what runs: one transaction moves the alias, writes the history and the audit row."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from django.db import IntegrityError
from django.utils import timezone

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.attempts import record_attempt
from mlplatform.tenancy.services.audit import record
from registry.errors import (
    AlreadyChampion,
    ApprovalNeeded,
    ArtifactCorrupt,
    GateFailed,
    NothingToRollBackTo,
    PromotionRaced,
    ReasonMissing,
    VersionNotReady,
    VersionOfAnotherModel,
)
from registry.gates import GateResult
from registry.models import Alias, Deployment, ModelVersion, PromotionRequest, RegisteredModel
from registry.models.deployment import CHAMPION, DeploymentAction
from registry.models.version import VersionStatus
from registry.services.champions import (
    champion_alias,
    champion_changes,
    champion_of,
    earlier_champions,
)
from registry.services.gates import evaluate_gates
from registry.services.loading import load_fresh
from registry.services.plans import plan_for

__all__ = [
    "Examined",
    "champion_of",
    "check_deployable",
    "demand_passed",
    "examine",
    "hold_ready",
    "move_champion",
    "promote",
    "promote_examined",
    "rollback",
]


@dataclass(frozen=True)
class Examined:
    """A version held against what ran at that moment: the alias as it was seen, and every gate's verdict."""

    version: ModelVersion
    seen: Alias | None
    gates: tuple[GateResult, ...]


def promote(
    *, model: RegisteredModel, version: ModelVersion, by: Actor, reason: str = "", override: bool = False
) -> Deployment:
    """Make ``version`` the champion where it passes every gate, or where ``override`` comes with a reason.

    Raises VersionOfAnotherModel, VersionNotReady, AlreadyChampion, ReasonMissing, GateFailed, ApprovalNeeded
    where the model asks for four eyes, and PromotionRaced where somebody else changed the champion since the
    gates were run.
    """
    _demand_reason(override, reason)
    _refuse_alone(model)
    examined = examine(model=model, version=version)
    return promote_examined(examined=examined, by=by, reason=reason, override=override)


def examine(*, model: RegisteredModel, version: ModelVersion) -> Examined:
    """Run the version through the gates, against what runs now; this takes seconds, so hold no transaction.

    Raises VersionOfAnotherModel, VersionNotReady, AlreadyChampion.
    """
    check_deployable(model, version)
    with tenant_transaction():
        seen = champion_alias(model)
    if seen is not None and seen.version_id == version.pk:
        raise AlreadyChampion(f"{version} is the champion already.")
    return Examined(version, seen, tuple(evaluate_gates(model=model, candidate=version)))


def promote_examined(
    *, examined: Examined, by: Actor, reason: str = "", override: bool = False
) -> Deployment:
    """Make the examined version the champion.

    Raises ApprovalNeeded, ReasonMissing, GateFailed, PromotionRaced.
    """
    _refuse_alone(examined.version.model)
    demand_passed(examined=examined, by=by, reason=reason, override=override)
    return move_champion(examined=examined, by=by, reason=reason)


def demand_passed(*, examined: Examined, by: Actor, reason: str, override: bool) -> None:
    """Refuse a version that failed a gate, unless ``override`` comes with a reason; the trail tells of it.

    Raises ReasonMissing, GateFailed.
    """
    _demand_reason(override, reason)
    failed = [gate for gate in examined.gates if not gate.passed]
    if not failed or override:
        return
    record_attempt(
        by=by,
        action="model.promotion_refused",
        target=examined.version.model,
        details={"version": examined.version.number, "failed_gates": [gate.name for gate in failed]},
    )
    raise GateFailed(
        f"{examined.version} did not pass: {' '.join(gate.detail for gate in failed)} Nothing was changed.",
        results=[gate.as_json() for gate in examined.gates],
    )


def move_champion(
    *, examined: Examined, by: Actor, reason: str, request: PromotionRequest | None = None
) -> Deployment:
    """Point the alias to the examined version and write the history.

    Raises VersionNotReady, PromotionRaced.
    """
    seen, version, gates = examined.seen, examined.version, examined.gates
    action = DeploymentAction.PROMOTE
    _warm(version)
    return _move(action, seen, version, by=by, reason=reason.strip(), gates=gates, request=request)


def rollback(
    *, model: RegisteredModel, by: Actor, reason: str = "", to: ModelVersion | None = None
) -> Deployment:
    """Make an earlier champion the champion again: the one before, or ``to``.

    No gate stands in the way of a rollback, but the artefact must be whole. Raises NothingToRollBackTo,
    VersionOfAnotherModel, VersionNotReady, AlreadyChampion, ArtifactCorrupt, PromotionRaced.
    """
    alias = champion_alias(model)
    version = to or next(iter(earlier_champions(model)), None)
    if alias is None or version is None:
        raise NothingToRollBackTo(
            f"Model {model.name} has no earlier champion. Promote another version instead."
        )
    check_deployable(model, version)
    if alias.version_id == version.pk:
        raise AlreadyChampion(f"{version} is the champion already.")
    if not champion_changes(model).filter(version=version).exists():
        raise NothingToRollBackTo(f"{version} has never been champion. Promote it instead.")
    load_fresh(version)
    _warm(version)
    return _move(DeploymentAction.ROLLBACK, alias, version, by=by, reason=reason.strip(), gates=())


def _warm(version: ModelVersion) -> None:
    """Have the version in this process's memory before it answers; others load it when they learn of it."""
    with suppress(ArtifactCorrupt):  # which a gate has said, and somebody passed over
        plan_for(version)


def _refuse_alone(model: RegisteredModel) -> None:
    if model.four_eyes:
        raise ApprovalNeeded(
            f"{model.name} asks for two people: propose the version, and let an approver decide. "
            f"POST /api/v1/models/{model.name}/requests, or Propose on the version's page."
        )


def _demand_reason(override: bool, reason: str) -> None:
    if override and not reason.strip():
        raise ReasonMissing(
            "Say why the gates are passed over.", fields={"reason": ["Needed with override."]}
        )


def check_deployable(model: RegisteredModel, version: ModelVersion) -> None:
    """Raise VersionOfAnotherModel or VersionNotReady where the version cannot answer for the model."""
    if version.model_id != model.pk:
        raise VersionOfAnotherModel(
            f"{version} is not a version of {model.name}. Choose one of its own versions."
        )
    if version.status != VersionStatus.READY:
        why = f" ({version.status_reason})" if version.status_reason else ""
        raise VersionNotReady(
            f"{version} cannot run: {version.get_status_display().lower()}{why}. Choose a ready version."
        )


def hold_ready(version: ModelVersion) -> None:
    """Keep the version as it is until the running transaction ends; raises VersionNotReady.

    Whoever makes use of a version holds it, so that no retention takes its files at the same moment.
    """
    held = ModelVersion.objects.select_for_update(no_key=True, of=("self",))
    if not held.filter(pk=version.pk, status=VersionStatus.READY).values("pk").first():
        raise VersionNotReady(f"{version} is no longer ready. Choose another version.")


def _move(
    action: DeploymentAction,
    seen: Alias | None,
    version: ModelVersion,
    *,
    by: Actor,
    reason: str,
    gates: Sequence[GateResult],
    request: PromotionRequest | None = None,
) -> Deployment:
    with tenant_transaction():
        _point_alias(seen, version)
        deployment = Deployment.objects.create(
            model_id=version.model_id,
            action=action,
            version=version,
            previous=None if seen is None else seen.version,
            reason=reason[:500],
            gates=[gate.as_json() for gate in gates],
            overridden=any(not gate.passed for gate in gates),
            request=request,
            actor_kind=by.kind,
            actor_label=by.label[:200],
        )
        record(
            by=by,
            action=f"model.{'promoted' if action is DeploymentAction.PROMOTE else 'rolled_back'}",
            target=version.model,
            before={"champion": None if seen is None else seen.version.number},
            after={"champion": version.number},
            version=version.number,
            reason=reason[:500],
            failed_gates=[gate.name for gate in gates if not gate.passed],
            request=None if request is None else request.pk,
        )
    return deployment


def _point_alias(seen: Alias | None, version: ModelVersion) -> None:
    """Compare and set: moves the alias only where it is still as it was seen; raises PromotionRaced."""
    raced = PromotionRaced(
        f"Somebody else changed what runs for {version.model.name} just now. Look again, then decide."
    )
    hold_ready(version)
    if seen is None:
        try:
            with tenant_transaction():  # a savepoint, so the loser's transaction stays usable
                Alias.objects.create(model_id=version.model_id, version=version)
        except IntegrityError as error:
            raise raced from error
        return
    moved = Alias.objects.filter(pk=seen.pk, name=CHAMPION, revision=seen.revision).update(
        version=version, revision=seen.revision + 1, updated_at=timezone.now()
    )
    if not moved:
        raise raced
