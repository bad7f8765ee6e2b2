"""Many who count at the same moment: exactly the limit passes."""

from concurrent.futures import ThreadPoolExecutor
from random import randrange
from threading import Barrier

import pytest
from django.db import connection
from pytest_django import Settings

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.counters import Allowance, Counters, Exhausted
from mlplatform.tenancy.counters.database import DatabaseCounters
from mlplatform.tenancy.counters.redis import RedisCounters
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.tenants import create_tenant
from tests.plugins.services import REDIS_URL

pytestmark = pytest.mark.django_db(transaction=True)
THREADS, EACH, LIMIT = 8, 12, 50


@pytest.fixture(params=["database", pytest.param("redis", marks=pytest.mark.needs_redis)])
def made(request: pytest.FixtureRequest, settings: Settings) -> Counters:
    settings.CACHE_URL = REDIS_URL
    return DatabaseCounters() if request.param == "database" else RedisCounters()


def test_of_many_at_once_exactly_the_limit_passes(made: Counters) -> None:
    tenant = create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)
    start, minute = Barrier(THREADS), randrange(10**8, 10**9)

    def ask(thread: int) -> list[int]:
        """Take what can be had, as a process with a connection of its own."""
        own, passed = Allowance(f"key:{thread}", EACH), []
        start.wait(timeout=30)
        with tenant_scope(tenant):
            for _ in range(EACH):
                try:
                    passed.append(made.take([own, Allowance("keys", LIMIT)], minute=minute)[1])
                except Exhausted:
                    continue
        connection.close()
        return passed

    with ThreadPoolExecutor(THREADS) as threads:
        places = [place for passed in threads.map(ask, range(THREADS)) for place in passed]
    assert sorted(places) == list(range(1, LIMIT + 1))
