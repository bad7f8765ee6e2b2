"""In whose name the platform acts by itself."""

from mlplatform.tenancy.actors import Actor, ActorKind
from registry.models import RegisteredModel


def policy_actor(model: RegisteredModel) -> Actor:
    """Return the actor in whose name the policy of ``model`` works."""
    return Actor(ActorKind.POLICY, f"of {model.name}")
