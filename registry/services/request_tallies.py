"""How many requests for answers ended how, counted in the memory of the server process.

The log of predictions knows what was answered; what was refused, or failed, leaves no row there. So every
request is counted here, which costs it a few tenths of a microsecond, and a thread adds the counts to the
database every few seconds. A clean stop adds all; a kill loses those of the last seconds.
"""

import logging
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import DatabaseError, InterfaceError, connection

from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import RegisteredModel, RequestTally
from registry.models.request_tally import ALL_TIME, LATENCY_BOUNDS, RequestOutcome
from registry.services.background import BackgroundThread

logger = logging.getLogger(__name__)
FAILURES = (DatabaseError, InterfaceError)
EVERY = 5.0  # seconds
HOUR = 3600
MOST_KINDS = 5_000  # different counts that wait: more names than that are nobody's models


class Asked(NamedTuple):
    """What is counted together: an hour's requests for one version (0: none yet) of a model, by its name."""

    model: str
    number: int
    hour: int
    outcome: RequestOutcome


@dataclass
class Sum:
    """How many requests, how many seconds they took, and how many took how long."""

    count: int = 0
    seconds: float = 0.0
    within: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_BOUNDS) + 1))

    def add(self, other: "Sum") -> None:
        """Add what another one counted."""
        self.count += other.count
        self.seconds += other.seconds
        self.within = [mine + its for mine, its in zip(self.within, other.within, strict=True)]


class RequestTallies(BackgroundThread):
    """Counts that wait to be written; safe to share between threads, and begun anew after a fork."""

    def __init__(self) -> None:
        super().__init__("request counts")
        self.every = EVERY  # 0: written when asked alone
        self._tenants: dict[int, Tenant] = {}
        self._sums: dict[tuple[int, Asked], Sum] = {}
        self._dropped = 0

    def note(self, tenant: Tenant, model: str, number: int, outcome: RequestOutcome, seconds: float) -> None:
        """Count a request; never waits for the database."""
        key = tenant.pk, Asked(model, number, int(time.time()) // HOUR, outcome)
        with self._changed:
            if self.every:
                self._start()
            found = self._sums.get(key)
            if found is None:
                if len(self._sums) >= MOST_KINDS:
                    self._dropped += 1
                    return
                found = self._sums[key] = Sum()
                self._tenants[tenant.pk] = tenant
            found.count += 1
            found.seconds += seconds
            found.within[bisect_left(LATENCY_BOUNDS, seconds)] += 1

    def flush(self) -> None:
        """Add what has gathered to the database; what cannot be written now waits for the next time."""
        with self._changed:
            tenants, self._tenants = self._tenants, {}
            gathered, self._sums = self._sums, {}
            dropped, self._dropped = self._dropped, 0
        if dropped:
            logger.warning("%d requests for too many different models were not counted", dropped)
        by_tenant: dict[int, dict[Asked, Sum]] = defaultdict(dict)
        for (tenant_id, asked), one in gathered.items():
            by_tenant[tenant_id][asked] = one
        for tenant_id, sums in by_tenant.items():
            try:
                with tenant_scope(tenants[tenant_id]):
                    add_counts(sums)
            except FAILURES as error:
                self._keep(tenants[tenant_id], sums, error)

    def forget(self) -> None:
        """Forget what waits."""
        with self._changed:
            self._tenants, self._sums, self._dropped = {}, {}, 0

    def _work_on(self) -> None:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, timeout=self.every)
                    stopping = self._stopping
                self.flush()
                if stopping:
                    return
        finally:
            connection.close()

    def _keep(self, tenant: Tenant, sums: Mapping[Asked, Sum], error: Exception) -> None:
        logger.warning("The counts of requests wait: %s", error)
        with suppress(*FAILURES):
            connection.close()
        with self._changed:
            self._tenants[tenant.pk] = tenant
            for asked, one in sums.items():
                self._sums.setdefault((tenant.pk, asked), Sum()).add(one)


def add_counts(sums: Mapping[Asked, Sum]) -> None:
    """Add the counts to those of the active tenant; of models that it does not have, nothing is kept."""
    with tenant_transaction():
        names = {asked.model for asked in sums}
        models = dict(RegisteredModel.objects.filter(name__in=names).values_list("name", "pk"))
        # In one order, so that no two processes wait for each other's rows.
        for asked in sorted(asked for asked in sums if asked.model in models):
            hour = datetime.fromtimestamp(asked.hour * HOUR, UTC)
            _add(models[asked.model], asked, (ALL_TIME, hour), sums[asked])


def _add(model_id: int, asked: Asked, moments: Iterable[datetime], more: Sum) -> None:
    for begins in moments:
        key: dict[str, Any] = {
            "model_id": model_id,
            "number": asked.number,
            "begins": begins,
            "outcome": asked.outcome,
        }
        RequestTally.objects.get_or_create(**key)
        row = RequestTally.objects.select_for_update().get(**key)
        total = sum_of(row)
        total.add(more)
        row.count, row.seconds, row.within = total.count, total.seconds, total.within
        row.save(update_fields=["count", "seconds", "within"])


def sum_of(row: RequestTally) -> Sum:
    """Return what the row counts."""
    return Sum(row.count, row.seconds, list(row.within) or Sum().within)


TALLIES = RequestTallies()
