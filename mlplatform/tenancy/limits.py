"""What a tenant may use: the kinds of limits, and where each comes from.

A platform administrator may set a tenant's own limit; else the one of the settings holds. A key's own limit
never goes above its tenant's.
"""

from dataclasses import dataclass

from django.conf import settings

from mlplatform.tenancy.models import ApiKey, Tenant


@dataclass(frozen=True)
class LimitKind:
    """One thing that is limited; ``name`` is that of the tenant's column and of the setting."""

    name: str
    title: str
    help: str


KINDS = (
    LimitKind(
        "requests_per_minute", "Requests per minute", "Of all API keys together, and of all people together."
    ),
    LimitKind("running_jobs", "Training jobs at once", "Further ones wait for their turn."),
    LimitKind("active_jobs", "Training jobs, waiting and running", "Further ones are refused."),
    LimitKind("storage_bytes", "Storage in bytes", "Of datasets and stored models."),
    LimitKind("stored_rows", "Stored rows", "Of datasets and logged predictions."),
)
NAMES = tuple(kind.name for kind in KINDS)
STOCKS = ("storage_bytes", "stored_rows")


def kind_of(name: str) -> LimitKind:
    """Return the kind of this name."""
    return next(kind for kind in KINDS if kind.name == name)


def limit_of(tenant: Tenant, name: str) -> int:
    """Return how much of ``name`` (one of ``NAMES``) the tenant may use."""
    own: int | None = getattr(tenant, name)
    return int(settings.LIMITS[name]) if own is None else own


def key_limit(key: ApiKey) -> int | None:
    """Return the key's own requests per minute, or None where only the tenant's limit holds."""
    own = key.requests_per_minute
    return None if own is None else min(own, limit_of(key.tenant, "requests_per_minute"))
