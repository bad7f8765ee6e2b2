"""What every counter must do, tried with the database's and with Redis's."""

import logging
import random
import time

import pytest
from django.db import connection
from pytest_django import Settings

from mlplatform.tenancy.counters import Allowance, Counters, Exhausted, counters
from mlplatform.tenancy.counters.database import DatabaseCounters
from mlplatform.tenancy.counters.redis import RedisCounters
from mlplatform.tenancy.models import RequestCount, Tenant
from mlplatform.tenancy.scope import NoActiveTenant, tenant_scope
from tests.plugins.services import REDIS_URL

KEY, KEYS = Allowance("key:7", 2), Allowance("keys", 3)
NOTHING_LISTENS = "redis://127.0.0.1:1/0"


@pytest.fixture
def minute() -> int:
    """A minute that no other run counts in: Redis keeps its counters for a while."""
    return random.randrange(10**8, 10**9)


@pytest.fixture(params=["database", pytest.param("redis", marks=pytest.mark.needs_redis)])
def made(request: pytest.FixtureRequest, settings: Settings) -> Counters:
    settings.CACHE_URL = REDIS_URL
    return DatabaseCounters() if request.param == "database" else RedisCounters()


@pytest.mark.usefixtures("in_tenant")
class TestEveryCounter:
    """The contract of ``Counters``."""

    def test_counts_up_to_the_limit_and_no_further(self, made: Counters, minute: int) -> None:
        assert [made.take([KEYS], minute=minute) for _ in range(3)] == [[1], [2], [3]]
        for _ in range(3):
            with pytest.raises(Exhausted) as refused:
                made.take([KEYS], minute=minute)
            assert refused.value.allowance == KEYS

    def test_counts_all_or_none(self, made: Counters, minute: int) -> None:
        assert [made.take([KEY, KEYS], minute=minute) for _ in range(2)] == [[1, 1], [2, 2]]
        with pytest.raises(Exhausted) as refused:
            made.take([KEY, KEYS], minute=minute)
        assert refused.value.allowance == KEY
        assert made.take([KEYS], minute=minute) == [3]

    def test_what_the_last_counter_refuses_is_not_counted_by_the_first(
        self, made: Counters, minute: int
    ) -> None:
        full = Allowance("keys", 1)
        made.take([full], minute=minute)
        with pytest.raises(Exhausted):
            made.take([KEY, full], minute=minute)
        assert made.take([KEY], minute=minute) == [1]

    def test_a_new_minute_begins_at_nought(self, made: Counters, minute: int) -> None:
        for _ in range(3):
            made.take([KEYS], minute=minute)
        assert made.take([KEYS], minute=minute + 1) == [1]

    def test_a_limit_that_is_changed_holds_at_once(self, made: Counters, minute: int) -> None:
        made.take([KEYS], minute=minute)
        with pytest.raises(Exhausted):
            made.take([Allowance("keys", 1)], minute=minute)
        assert made.take([Allowance("keys", 9)], minute=minute) == [2]

    def test_tenants_are_counted_apart(self, made: Counters, other_tenant: Tenant, minute: int) -> None:
        made.take([KEYS], minute=minute)
        with tenant_scope(other_tenant):
            assert made.take([KEYS], minute=minute) == [1]


def test_counting_for_nobody_raises(db: None) -> None:
    with pytest.raises(NoActiveTenant):
        DatabaseCounters().take([KEYS], minute=1)


def test_a_counter_has_one_row_for_ever(in_tenant: Tenant) -> None:
    for minute in (1, 2, 3):
        DatabaseCounters().take([KEYS], minute=minute)
    assert list(RequestCount.objects.values_list("name", "minute", "taken")) == [("keys", 3, 1)]


def test_a_machine_whose_clock_is_behind_begins_no_minute_again(in_tenant: Tenant) -> None:
    for _ in range(2):
        DatabaseCounters().take([KEYS], minute=8)
    assert DatabaseCounters().take([KEYS], minute=7) == [3]
    with pytest.raises(Exhausted):
        DatabaseCounters().take([KEYS], minute=7)
    assert RequestCount.objects.get().minute == 8


@pytest.mark.needs_postgres
def test_counting_waits_for_no_disk(in_tenant: Tenant) -> None:
    DatabaseCounters().take([KEYS], minute=1)
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("off",)


def test_where_redis_is_away_the_database_counts(
    in_tenant: Tenant, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CACHE_URL = NOTHING_LISTENS
    made = RedisCounters()
    with caplog.at_level(logging.ERROR):
        assert [made.take([KEYS], minute=5) for _ in range(3)] == [[1], [2], [3]]
        with pytest.raises(Exhausted):
            made.take([KEYS], minute=5)
    # It is not asked again for every request.
    assert [record.message[:31] for record in caplog.records] == ["Redis does not count requests, "]


@pytest.mark.needs_redis
def test_redis_counts_again_once_it_is_back(
    in_tenant: Tenant, settings: Settings, minute: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CACHE_URL = REDIS_URL
    made = RedisCounters()
    made.take([KEYS], minute=minute)
    with monkeypatch.context() as away:
        away.setattr(made._client.connection_pool, "connection_kwargs", {"host": "127.0.0.1", "port": 1})
        made._client.connection_pool.disconnect()
        made._client.connection_pool.reset()
        assert made.take([KEYS], minute=minute) == [1]
    made._client.connection_pool.reset()
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 60)
    assert made.take([KEYS], minute=minute) == [2]


def test_the_settings_choose_the_counters(settings: Settings) -> None:
    settings.CACHE_URL = REDIS_URL
    settings.REQUEST_COUNTERS = "mlplatform.tenancy.counters.redis.RedisCounters"
    assert isinstance(counters(), RedisCounters)
    assert counters() is counters()
    settings.REQUEST_COUNTERS = "mlplatform.tenancy.counters.database.DatabaseCounters"
    assert isinstance(counters(), DatabaseCounters)
