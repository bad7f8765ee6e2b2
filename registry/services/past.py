"""What ran when, and what put it there."""

from datetime import datetime

from registry.errors import DeploymentNotFound, NothingRan
from registry.models import Deployment, RegisteredModel
from registry.models.deployment import CHAMPION, DeploymentAction
from registry.services.listings import deployments_overview


def find_deployment(model: RegisteredModel, pk: int) -> Deployment:
    """Return the change of what ran for the model; raises DeploymentNotFound."""
    found = deployments_overview(model).filter(pk=pk).first()
    if found is None:
        raise DeploymentNotFound(
            f"{model.name} has no deployment {pk}. List them at /api/v1/models/{model.name}/deployments."
        )
    return found


def deployment_at(model: RegisteredModel, moment: datetime, alias: str = CHAMPION) -> Deployment:
    """Return the change that had put in place what answered at the moment; raises NothingRan.

    Its version is what ran, its actor and reason say who moved it there, and why.
    """
    changes = deployments_overview(model).filter(alias=alias, created_at__lte=moment)
    found = changes.order_by("-created_at", "-pk").first()
    if found is None or found.action == DeploymentAction.UNALIAS:
        raise NothingRan(f"Nothing was {alias} of {model.name} at {moment:%Y-%m-%d %H:%M} UTC.")
    return found
