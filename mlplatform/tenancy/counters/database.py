"""Counters in the database: one statement that counts only where the limit allows it."""

from collections.abc import Sequence

from django.db import connection

from mlplatform.tenancy.counters.base import Allowance, Exhausted
from mlplatform.tenancy.models import RequestCount
from mlplatform.tenancy.scope import current_tenant_id, tenant_transaction
from mlplatform.tenancy.services.audit import wait_for_no_disk

TABLE = RequestCount._meta.db_table
# The row lock of the upsert makes those who count at the same moment queue. A machine whose clock is behind
# counts in the newest minute that is known: it must not begin that minute again.
TAKE = f"""
    INSERT INTO {TABLE} (tenant_id, name, minute, taken) VALUES (%s, %s, %s, %s)
    ON CONFLICT (tenant_id, name) DO UPDATE SET
        taken = CASE WHEN {TABLE}.minute < excluded.minute THEN excluded.taken
            ELSE {TABLE}.taken + excluded.taken END,
        minute = CASE WHEN {TABLE}.minute < excluded.minute THEN excluded.minute ELSE {TABLE}.minute END
    WHERE {TABLE}.minute < excluded.minute OR {TABLE}.taken + excluded.taken <= %s
    RETURNING taken
"""  # noqa: S608  # the table's own name


class DatabaseCounters:
    """One row for each counter, on SQLite and, under the tenant's policy, on PostgreSQL."""

    def take(self, allowances: Sequence[Allowance], *, minute: int, amount: int = 1) -> list[int]:
        """Count, as ``Counters.take`` says; a refusal rolls back what was counted before it."""
        with tenant_transaction():
            wait_for_no_disk()  # a crash of the database may forget some requests of one minute
            return [self._take_one(allowance, minute, amount) for allowance in allowances]

    def taken(self, name: str, *, minute: int) -> int:
        """Return the count, as ``Counters.taken`` says."""
        counted = RequestCount.objects.filter(name=name, minute__gte=minute).values_list("taken", flat=True)
        return counted.first() or 0

    def _take_one(self, allowance: Allowance, minute: int, amount: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute(TAKE, [current_tenant_id(), allowance.name, minute, amount, allowance.limit])
            taken = cursor.fetchone()
        if taken is None:
            raise Exhausted(allowance)
        return int(taken[0])
