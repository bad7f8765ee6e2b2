"""Counting requests in blocks, for routes so quick that a trip to the counter would cost more than an answer.

A process takes a block of requests from the shared counter at once and hands them out by itself. Never do
more pass than the limit. The price is told in docs/operations.md: what a process has taken and not handed out
when a minute ends is lost to the others, at most 1/200 of the smallest limit for each process.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from mlplatform.tenancy.counters import Allowance, Exhausted, counters
from mlplatform.tenancy.scope import current_tenant_id
from mlplatform.tenancy.services.requests import MINUTE, Standing

SHARE = 200  # a block is at most this part of the smallest limit,
LARGEST_BLOCK = 1000  # and never more than this
MOST_REMEMBERED = 10_000

Key = tuple[int, tuple[Allowance, ...]]


@dataclass
class Lease:
    """What one process may still hand out in this minute, and how many each counter had taken by then."""

    minute: int = -1
    left: int = 0
    taken: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


_leases: dict[Key, Lease] = {}


def take_leased(allowances: Sequence[Allowance]) -> list[Standing] | None:
    """Count a request in the active tenant and return where its allowances stand.

    None where no request is left: then nothing is counted, and the exact way (``take_request``) refuses it,
    tells when to come back, and puts it into the trail.
    """
    now = time.time()
    minute, reset = int(now // MINUTE), MINUTE - int(now % MINUTE)
    lease = _lease(allowances)
    with lease.lock:
        if lease.minute != minute or lease.left < 1:
            try:
                lease.taken, lease.left = _take_block(allowances, minute)
            except Exhausted:
                lease.minute, lease.left = minute, 0
                return None
            lease.minute = minute
        lease.left -= 1
        left, taken = lease.left, list(lease.taken)
    return [
        Standing(one.name.partition(":")[0], one.limit, one.limit - count + left, reset)
        for one, count in zip(allowances, taken, strict=True)
    ]


def give_back_leased(allowances: Sequence[Allowance]) -> None:
    """Take back a request that ``take_leased`` counted, since another way counts it again."""
    lease = _lease(allowances)
    with lease.lock:
        lease.left += 1


def forget_leases() -> None:
    """Hand out nothing that was taken before, as a process does that has just started."""
    _leases.clear()


def _lease(allowances: Sequence[Allowance]) -> Lease:
    if len(_leases) >= MOST_REMEMBERED:
        forget_leases()
    return _leases.setdefault((current_tenant_id(), tuple(allowances)), Lease())


def _take_block(allowances: Sequence[Allowance], minute: int) -> tuple[list[int], int]:
    """Return what each counter has taken and how many are ours: a block, or one where no block is left."""
    block = max(1, min(LARGEST_BLOCK, min(one.limit for one in allowances) // SHARE))
    try:
        return counters().take(allowances, minute=minute, amount=block), block
    except Exhausted:
        if block == 1:
            raise
    return counters().take(allowances, minute=minute), 1
