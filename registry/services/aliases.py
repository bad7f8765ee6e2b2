"""Names beside ``champion`` that point to a version: ``challenger``, and whatever people need."""

import re

from django.db.models import QuerySet
from django.utils import timezone

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from registry.errors import AliasNotFound, InvalidAlias
from registry.models import Alias, Deployment, ModelVersion, RegisteredModel
from registry.models.deployment import CHAMPION, DeploymentAction
from registry.services.listings import HEAVY_VERSION_COLUMNS
from registry.services.promotion import check_deployable, hold_ready

NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
LONGEST_NAME, MOST_ALIASES = 50, 50


def aliases_of(model: RegisteredModel) -> QuerySet[Alias]:
    """Return the model's aliases with their versions, by name; the champion is one of them."""
    heavy = [f"version__{name}" for name in HEAVY_VERSION_COLUMNS]
    rows = Alias.objects.filter(model=model).select_related("model", "version__model")
    return rows.defer(*heavy).order_by("name")


def set_alias(
    *, model: RegisteredModel, name: str, version: ModelVersion, by: Actor, reason: str = ""
) -> Deployment:
    """Point the name to the version, whether or not it is new; no gate is asked.

    Set again to where it points, it changes nothing and returns the change that put it there. Raises
    InvalidAlias, VersionOfAnotherModel, VersionNotReady.
    """
    _check_name(name)
    check_deployable(model, version)
    with tenant_transaction():
        RegisteredModel.objects.select_for_update(no_key=True).get(pk=model.pk)  # of two changes none is lost
        hold_ready(version)
        seen = Alias.objects.filter(model=model, name=name).select_related("version").first()
        if seen is None:
            if Alias.objects.filter(model=model).count() >= MOST_ALIASES:
                raise InvalidAlias(f"{model.name} has {MOST_ALIASES} aliases. Take some off.")
            Alias.objects.create(model=model, name=name, version=version)
        elif seen.version_id == version.pk:
            return Deployment.objects.filter(model=model, alias=name)[0]
        else:
            Alias.objects.filter(pk=seen.pk).update(
                version=version, revision=seen.revision + 1, updated_at=timezone.now()
            )
        before = None if seen is None else seen.version
        return _written(DeploymentAction.ALIAS, name, version, before, by=by, reason=reason)


def remove_alias(*, model: RegisteredModel, name: str, by: Actor, reason: str = "") -> Deployment:
    """Take the name off; raises InvalidAlias for the champion's, AliasNotFound."""
    _check_name(name)
    with tenant_transaction():
        RegisteredModel.objects.select_for_update(no_key=True).get(pk=model.pk)
        seen = find_alias(model, name)
        seen.delete()
        return _written(DeploymentAction.UNALIAS, name, seen.version, seen.version, by=by, reason=reason)


def find_alias(model: RegisteredModel, name: str) -> Alias:
    """Return the model's alias of this name; raises AliasNotFound."""
    found = aliases_of(model).filter(name=name).first() if "\x00" not in name else None
    if found is None:
        raise AliasNotFound(
            f"{model.name} has no alias {name[:60]!r}. List them at /api/v1/models/{model.name}/aliases."
        )
    return found


def _check_name(name: str) -> None:
    problem = ""
    if name == CHAMPION:
        problem = "The champion is made by a promotion or a rollback alone."
    elif len(name) > LONGEST_NAME or not NAME.fullmatch(name):
        problem = (
            f"An alias is made of at most {LONGEST_NAME} lower-case letters, digits, - and _, and begins "
            "with a letter, for example challenger."
        )
    if problem:
        raise InvalidAlias(problem, fields={"alias": [problem]})


def _written(
    action: DeploymentAction,
    name: str,
    version: ModelVersion,
    before: ModelVersion | None,
    *,
    by: Actor,
    reason: str,
) -> Deployment:
    deployment = Deployment.objects.create(
        model_id=version.model_id,
        alias=name,
        action=action,
        version=version,
        previous=before,
        reason=reason.strip()[:500],
        actor_kind=by.kind,
        actor_label=by.label[:200],
    )
    gone = action is DeploymentAction.UNALIAS
    record(
        by=by,
        action=f"model.alias_{'removed' if gone else 'set'}",
        target=version.model,
        before={name: before and before.number},
        after={name: None if gone else version.number},
        reason=deployment.reason,
    )
    return deployment
