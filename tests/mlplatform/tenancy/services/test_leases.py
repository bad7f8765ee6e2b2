"""Counting requests in blocks: never more than the limit, and little is lost to others."""

from collections.abc import Iterator
from unittest import mock

import pytest

from mlplatform.tenancy.counters import Allowance, counters
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.leases import (
    LARGEST_BLOCK,
    SHARE,
    forget_leases,
    give_back_leased,
    take_leased,
)

NOON = 1_800_000_015.0
MINUTE = int(NOON // 60)


@pytest.fixture(autouse=True)
def noon() -> Iterator[mock.Mock]:
    """Let the minute not change while a test counts."""
    with mock.patch("time.time", return_value=NOON) as clock:
        yield clock


def _taken(name: str = "keys") -> int:
    return counters().taken(name, minute=MINUTE)


def test_small_limits_are_counted_one_by_one(in_tenant: Tenant) -> None:
    allowances = [Allowance("key:1", 2), Allowance("keys", 1000)]
    told = [take_leased(allowances) for _ in range(3)]
    assert [[one.remaining for one in standings] for standings in told[:2] if standings] == [
        [1, 999],
        [0, 998],
    ]
    assert told[2] is None
    assert (_taken("key:1"), _taken("keys")) == (2, 2)


def test_large_limits_are_counted_in_blocks_and_told_exactly(in_tenant: Tenant) -> None:
    allowances = [Allowance("keys", 10 * SHARE)]
    told = [take_leased(allowances) for _ in range(12)]
    assert [standings[0].remaining for standings in told if standings] == list(range(1999, 1987, -1))
    assert _taken() == 20


def test_a_block_has_a_largest_size(in_tenant: Tenant) -> None:
    take_leased([Allowance("keys", 10**9)])
    assert _taken() == LARGEST_BLOCK


def test_exactly_the_limit_passes_and_the_last_ones_come_singly(in_tenant: Tenant) -> None:
    allowances = [Allowance("keys", 3 * SHARE + 2)]
    passed = sum(take_leased(allowances) is not None for _ in range(4 * SHARE))
    assert passed == 3 * SHARE + 2


def test_of_two_processes_never_more_than_the_limit_passes(in_tenant: Tenant) -> None:
    allowances, passed = [Allowance("keys", 2 * SHARE)], 0
    for _ in range(SHARE):
        forget_leases()  # another process asks
        passed += take_leased(allowances) is not None
    assert passed == SHARE
    assert _taken() == 2 * SHARE
    assert take_leased(allowances) is not None  # what this one still holds
    assert take_leased(allowances) is None


def test_a_minute_that_ends_takes_its_block_with_it(in_tenant: Tenant, noon: mock.Mock) -> None:
    allowances = [Allowance("keys", 10 * SHARE)]
    take_leased(allowances)
    noon.return_value += 60
    (standing,) = take_leased(allowances) or []
    assert standing.remaining == 1999


def test_what_is_given_back_is_handed_out_again(in_tenant: Tenant) -> None:
    allowances = [Allowance("keys", 1)]
    assert take_leased(allowances)
    give_back_leased(allowances)
    assert take_leased(allowances)
    assert take_leased(allowances) is None


def test_tenants_share_no_block(tenant: Tenant, other_tenant: Tenant) -> None:
    allowances = [Allowance("keys", 10 * SHARE)]
    for owner in (tenant, other_tenant):
        with tenant_scope(owner):
            (standing,) = take_leased(allowances) or []
            assert standing.remaining == 1999
            assert _taken() == 10
