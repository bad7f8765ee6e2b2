"""Reading the trail from its first entry to its last, and proving that it is whole."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db.models import QuerySet

from mlplatform.tenancy.chain import entry_of, genesis, seal
from mlplatform.tenancy.models import AuditEvent, AuditHead, Tenant
from mlplatform.tenancy.scope import current_tenant, tenant_scope, tenant_transaction

READ_AT_ONCE = 1_000


@dataclass(frozen=True)
class BrokenLink:
    """The first place at which the chain does not hold."""

    sequence: int
    event_id: int | None
    problem: str


@dataclass(frozen=True)
class Verdict:
    """What a walk along a tenant's chain found; ``hash`` is that of the last entry that holds."""

    tenant: str
    events: int
    hash: str
    broken: BrokenLink | None


def in_batches(events: QuerySet[AuditEvent], tenant: Tenant, upto: int | None = None) -> Iterator[AuditEvent]:
    """Yield the tenant's events in the order of the chain, in short transactions and at flat memory.

    The tenant's scope is open only while rows are read, so that a slow reader holds nothing.
    """
    last = 0
    while True:
        with tenant_scope(tenant), tenant_transaction():
            batch = _batch(events, last, upto)
        yield from batch
        if len(batch) < READ_AT_ONCE:
            return
        last = batch[-1].sequence


def verify_chain(*, anchors: Mapping[int, str] | None = None) -> Verdict:
    """Walk the active tenant's chain and return the first broken link, if any.

    ``anchors`` are hashes by sequence number that were noted elsewhere earlier: with them even a chain that
    was rewritten from end to end, by whoever owns the database, is found.
    """
    tenant, noted = current_tenant(), dict(anchors or {})
    began = AuditHead.objects.values_list("origin", flat=True).first() or tenant.slug
    count, last = 0, genesis(began)
    while True:
        with tenant_transaction():
            head = AuditHead.objects.first()  # read first: what is appended meanwhile is in the batch
            batch = _batch(AuditEvent.objects.all(), count, None)
        for event in batch:
            problem = _problem(event, count + 1, last) or _anchor_problem(event, noted.pop(count + 1, None))
            if problem:
                return Verdict(tenant.slug, count, last, BrokenLink(count + 1, event.pk, problem))
            count, last = count + 1, event.hash
        if not batch:
            broken = _end_problem(head, count, last, noted)
            return Verdict(tenant.slug, count, last, broken)


def _batch(events: QuerySet[AuditEvent], last: int, upto: int | None) -> list[AuditEvent]:
    rows = events.filter(sequence__gt=last)
    if upto is not None:
        rows = rows.filter(sequence__lte=upto)
    return list(rows.order_by("sequence")[:READ_AT_ONCE])


def _problem(event: AuditEvent, expected: int, last: str) -> str | None:
    if event.sequence != expected:
        missing = (
            f"entry {expected} is missing"
            if event.sequence == expected + 1
            else (f"entries {expected} to {event.sequence - 1} are missing")
        )
        return f"{missing}: the next one there is number {event.sequence}"
    if event.prev_hash != last:
        return "the entry does not follow from the one before it"
    if seal(entry_of(event)) != event.hash:
        return "the entry was changed after it was written"
    return None


def _anchor_problem(event: AuditEvent, noted: str | None) -> str | None:
    if noted is None or noted == event.hash:
        return None
    return "the hash is not the one that was noted earlier: the trail was rewritten"


def _end_problem(
    head: AuditHead | None, count: int, last: str, noted: Mapping[int, str]
) -> BrokenLink | None:
    expected = max(head.sequence if head else 0, *noted, 0)
    if expected > count:
        which = f"entry {count + 1} is" if expected == count + 1 else f"entries {count + 1} to {expected} are"
        return BrokenLink(count + 1, None, f"{which} missing at the end of the trail")
    if head is None:
        return BrokenLink(1, None, "the head of the trail is missing") if count else None
    if (head.sequence, head.hash) != (count, last):
        return BrokenLink(count, None, "the head of the trail does not point at its last entry")
    return None
