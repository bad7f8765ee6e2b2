"""Requests per minute: of a tenant's keys together, of its people together, of each key and each person."""

import hashlib
import time
from dataclasses import dataclass, replace

from django.conf import settings

from mlplatform.errors import TooMany
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.counters import Allowance, Exhausted, counters
from mlplatform.tenancy.limits import key_limit, limit_of
from mlplatform.tenancy.models import ApiKey, Tenant, User
from mlplatform.tenancy.scope import current_tenant
from mlplatform.tenancy.services.attempts import record_attempt
from mlplatform.tenancy.services.audit import Subject

MINUTE = 60  # seconds
REQUESTS = "requests_per_minute"
# Counters known to be full, with the minute: until it is over they need not be asked, so that refusing a
# flood costs next to nothing. Named with the limit, so that one that is raised holds at once.
_full: dict[tuple[int, Allowance], int] = {}
MOST_REMEMBERED = 10_000
# What was refused a moment ago is refused again without looking up whose it is. After so many seconds it is
# looked at anew, so that a raised limit or a revoked key counts then.
REFUSED_FOR = 2.0
_refused: dict[bytes, tuple[float, int, "Standing", Tenant]] = {}


@dataclass(frozen=True)
class Standing:
    """One allowance after a request; ``reset`` is in seconds."""

    name: str
    limit: int
    remaining: int
    reset: int


class RequestLimitReached(TooMany):
    """The key, the person or the tenant has made as many requests as this minute allows.

    ``tenant`` is whose limit it is, where that had to be remembered.
    """

    def __init__(self, standing: Standing, tenant: Tenant | None = None) -> None:
        whose = {"key": "this API key", "person": "one person"}
        who = whose.get(standing.name, f"all {standing.name} of this tenant together")
        super().__init__(
            f"At most {standing.limit:,} requests a minute are taken from {who}. "
            f"Wait {standing.reset} seconds.",
            wait=standing.reset,
        )
        self.standing = standing
        self.tenant = tenant


def take_request(*, principal: User | ApiKey) -> list[Standing]:
    """Count a request in the active tenant and return where its allowances stand.

    Call it before anything expensive, outside the request's own transaction. Raises RequestLimitReached; the
    first refusal of a minute is put into the trail.
    """
    now = time.time()
    minute, reset = int(now // MINUTE), MINUTE - int(now % MINUTE)
    allowances = allowances_of(principal)
    tenant_id = current_tenant().pk
    for allowance in allowances:
        if _full.get((tenant_id, allowance)) == minute:
            raise RequestLimitReached(_standing(allowance, allowance.limit, reset))
    try:
        taken = counters().take(allowances, minute=minute)
    except Exhausted as error:
        _remember(tenant_id, error.allowance, minute)
        _record(principal, error.allowance)
        raise RequestLimitReached(_standing(error.allowance, error.allowance.limit, reset)) from error
    return [_standing(one, count, reset) for one, count in zip(allowances, taken, strict=True)]


def remember_refusal(credentials: str, standing: Standing) -> None:
    """Note that these credentials of the active tenant, as they were sent, have used up an allowance."""
    if len(_refused) >= MOST_REMEMBERED:
        _refused.clear()
    minute = int(time.time() // MINUTE)
    _refused[_digest(credentials)] = (time.monotonic() + REFUSED_FOR, minute, standing, current_tenant())


def refuse_again(credentials: str) -> None:
    """Raise RequestLimitReached where these credentials were refused a moment ago, in the same minute."""
    remembered = _refused.get(_digest(credentials))
    if remembered is None:
        return
    until, minute, standing, tenant = remembered
    now = time.time()
    if time.monotonic() < until and int(now // MINUTE) == minute:
        raise RequestLimitReached(replace(standing, reset=MINUTE - int(now % MINUTE)), tenant)


def allowances_of(principal: User | ApiKey) -> list[Allowance]:
    """Return what the principal's request is counted with; its own allowance first, its tenant's last.

    Keys and people are counted apart: a program that runs wild does not lock out the admin who is to stop it.
    """
    together = limit_of(current_tenant(), REQUESTS)
    if isinstance(principal, ApiKey):
        own = key_limit(principal)
        mine = [] if own is None else [Allowance(f"key:{principal.pk}", own)]
        return [*mine, Allowance("keys", together)]
    each = min(settings.PERSON_REQUESTS_PER_MINUTE, together)
    return [Allowance(f"person:{principal.pk}", each), Allowance("people", together)]


def forget_full_counters() -> None:
    """Ask every counter again, as a process does that has just started."""
    _full.clear()
    _refused.clear()


def _digest(credentials: str) -> bytes:
    return hashlib.sha256(credentials.encode()).digest()


def _standing(allowance: Allowance, taken: int, reset: int) -> Standing:
    return Standing(allowance.name.partition(":")[0], allowance.limit, allowance.limit - taken, reset)


def _remember(tenant_id: int, allowance: Allowance, minute: int) -> None:
    if len(_full) >= MOST_REMEMBERED:
        forget_full_counters()
    _full[tenant_id, allowance] = minute


def _record(principal: User | ApiKey, allowance: Allowance) -> None:
    record_attempt(
        by=Actor.of(principal),
        action="limit.reached",
        target=Subject("limit", REQUESTS, "Requests per minute"),
        details={"counter": allowance.name, "limit": allowance.limit},
    )
