"""Counters in Redis: one script, which Redis runs without interruption."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import redis
from django.conf import settings

from mlplatform.tenancy.counters.base import Allowance, Exhausted
from mlplatform.tenancy.counters.database import DatabaseCounters
from mlplatform.tenancy.scope import current_tenant_id

T = TypeVar("T")
logger = logging.getLogger(__name__)
TIMEOUT = 0.5  # seconds
RETRY_AFTER = 5.0  # seconds in which a silent Redis is not asked again
KEPT_SECONDS = 120
# Looks at every counter before it moves one: all are counted, or none.
TAKE = """
    for place, key in ipairs(KEYS) do
        if tonumber(redis.call('GET', key) or '0') + tonumber(ARGV[2]) > tonumber(ARGV[place + 2]) then
            return {-place}
        end
    end
    local taken = {}
    for place, key in ipairs(KEYS) do
        taken[place] = redis.call('INCRBY', key, ARGV[2])
        redis.call('EXPIRE', key, ARGV[1])
    end
    return taken
"""


class RedisCounters:
    """Counters of ``ML_CACHE_URL``; where it does not answer, the database counts instead, never nobody.

    In the minute of such a change the database begins at nought: at most twice the limit passes in it.
    """

    def __init__(self) -> None:
        self._client = redis.Redis.from_url(
            str(settings.CACHE_URL), socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT
        )
        self._script = self._client.register_script(TAKE)
        self._database = DatabaseCounters()
        self._ask_again_at = 0.0

    def take(self, allowances: Sequence[Allowance], *, minute: int, amount: int = 1) -> list[int]:
        """Count, as ``Counters.take`` says."""
        return self._ask(
            lambda: self._take(allowances, minute, amount),
            lambda: self._database.take(allowances, minute=minute, amount=amount),
        )

    def taken(self, name: str, *, minute: int) -> int:
        """Return the count, as ``Counters.taken`` says."""
        return self._ask(
            lambda: int(self._client.get(_key(name, minute)) or 0),
            lambda: self._database.taken(name, minute=minute),
        )

    def _ask(self, redis_: Callable[[], T], database: Callable[[], T]) -> T:
        if time.monotonic() >= self._ask_again_at:
            try:
                return redis_()
            except redis.RedisError as error:
                self._ask_again_at = time.monotonic() + RETRY_AFTER
                logger.error("Redis does not count requests, so the database does: %s", error)
        return database()

    def _take(self, allowances: Sequence[Allowance], minute: int, amount: int) -> list[int]:
        keys = [_key(one.name, minute) for one in allowances]
        limits = [one.limit for one in allowances]
        taken: list[int] = self._script(keys=keys, args=[KEPT_SECONDS, amount, *limits])
        if taken[0] < 0:
            raise Exhausted(allowances[-taken[0] - 1])
        return taken


def _key(name: str, minute: int) -> str:
    # The braces keep a tenant's counters on one node of a cluster, as one script needs.
    return f"limits:{{{current_tenant_id()}}}:{name}:{minute}"
