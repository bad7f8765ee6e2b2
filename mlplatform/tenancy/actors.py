"""Who did it: the actor of an audit row."""

from dataclasses import dataclass
from enum import StrEnum

from mlplatform.tenancy.models import ApiKey, User
from mlplatform.tenancy.models.audit import actor_name

MAX_LABEL = 200  # what the audit trail and other rows have room for


class ActorKind(StrEnum):
    """What sort of actor."""

    USER = "user"
    API_KEY = "api_key"
    COMMAND = "command"
    SCHEDULE = "schedule"
    POLICY = "policy"
    SYSTEM = "system"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class Actor:
    """Who acts, in a form that outlives the account: kind, id where there is one, and a name to show."""

    kind: ActorKind
    label: str
    id: int | None = None

    def __str__(self) -> str:
        return actor_name(self.kind, self.label)

    @classmethod
    def of(cls, principal: "User | ApiKey") -> "Actor":
        """Return the actor for a signed-in person or an API key."""
        if isinstance(principal, ApiKey):
            return cls(ActorKind.API_KEY, principal.name, principal.pk)
        return cls(ActorKind.USER, principal.email[:MAX_LABEL], principal.pk)


SYSTEM = Actor(ActorKind.SYSTEM, "platform")
ANONYMOUS = Actor(ActorKind.ANONYMOUS, "visitor")
