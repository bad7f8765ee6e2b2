"""Which version runs, and which ran before."""

from django.db.models import QuerySet

from registry.models import Alias, Deployment, ModelVersion, RegisteredModel
from registry.models.deployment import CHAMPION, DeploymentAction
from registry.models.version import VersionStatus


def champion_of(model: RegisteredModel) -> ModelVersion | None:
    """Return the version that answers, or None."""
    alias = champion_alias(model)
    return None if alias is None else alias.version


def champion_alias(model: RegisteredModel) -> Alias | None:
    """Return the champion's alias with its version, or None."""
    found = Alias.objects.filter(model=model, name=CHAMPION)
    return found.select_related("version__model", "version__dataset").first()


def champion_changes(model: RegisteredModel) -> QuerySet[Deployment]:
    """Return the changes of the champion that happened here: not those that came with an imported model.

    An import ends its history by a row that takes the champion's name off, which nothing else does.
    """
    changes = Deployment.objects.filter(model=model, alias=CHAMPION)
    ended = changes.filter(action=DeploymentAction.UNALIAS).order_by("-pk").first()
    return changes if ended is None else changes.filter(pk__gt=ended.pk)


def earlier_champions(model: RegisteredModel) -> list[ModelVersion]:
    """Return the ready versions to which a rollback may lead, the nearest first.

    The history is read as a stack: a promotion puts a version on top, a rollback takes off all above its
    target. So a second rollback goes one further back and never returns to what was just abandoned.
    """
    history = champion_changes(model).order_by("created_at", "pk")
    stack: list[ModelVersion] = []
    heavy = [
        f"version__{name}" for name in ("reference", "evaluation", "importance", "features", "cv_metrics")
    ]
    for change in history.select_related("version__model").defer(*heavy):
        if change.action == DeploymentAction.ROLLBACK:
            while stack and stack[-1].pk != change.version_id:
                stack.pop()
        if not stack or stack[-1].pk != change.version_id:
            stack.append(change.version)
    earlier: list[ModelVersion] = []
    for version in reversed(stack[:-1]):
        usable = version.status == VersionStatus.READY and version.pk != stack[-1].pk
        if usable and version not in earlier:
            earlier.append(version)
    return earlier
