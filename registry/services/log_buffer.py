"""The log of models that choose to have it written in the background.

An answer leaves as soon as its row is in the memory of the server process. A thread writes what has gathered
every ``WINDOW`` seconds. A clean stop writes everything; a kill loses what was answered in the last window
and the running transaction. The memory is bounded: where the database does not keep up, requests wait for
room, and one that finds none has its row stored before it is answered, like those of other models.
"""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress

from django.db import connection

from mlplatform.tenancy.errors import NoRoom
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.services.background import BackgroundThread
from registry.services.prediction_log import FAILURES, LARGEST_BATCH, LoggedRow, insert_rows

logger = logging.getLogger(__name__)
WINDOW = 0.2  # seconds
LARGEST = 10_000  # rows of all tenants together
PATIENCE = 2.0  # seconds that a request waits for room
FULL_FOR = 5.0  # seconds in which a tenant without room for more rows is sent the long way, which says so


class LogBuffer(BackgroundThread):
    """Rows that wait to be written, by tenant; safe to share between threads, and begun anew after a fork."""

    def __init__(self) -> None:
        super().__init__("prediction log")
        self._rows: dict[int, tuple[Tenant, list[LoggedRow]]] = {}
        self._held = 0  # rows that are not committed yet
        self._no_room: dict[int, float] = {}

    def put(self, tenant: Tenant, rows: Sequence[LoggedRow]) -> bool:
        """Take the tenant's rows; False where they must be stored at once, as there is no room or no time."""
        if self._no_room.get(tenant.pk, 0.0) > time.monotonic():
            return False
        with self._changed:
            self._start()
            fits = self._changed.wait_for(
                lambda: self._stopping or self._held + len(rows) <= LARGEST, timeout=PATIENCE
            )
            if self._stopping or not fits:
                return False
            self._rows.setdefault(tenant.pk, (tenant, []))[1].extend(rows)
            self._held += len(rows)
        return True

    def stop(self) -> None:
        """Write everything and take no more; rows that cannot be written in time are counted in the log."""
        super().stop()
        if self._held:
            logger.error("%d rows of the prediction log were not written before the stop", self._held)

    def wait_until_written(self, timeout: float) -> bool:
        """Return when nothing waits any more, or False after so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._held == 0, timeout)

    def _work_on(self) -> None:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, timeout=WINDOW)
                    gathered, self._rows = self._rows, {}
                    stopping = self._stopping
                for tenant, rows in gathered.values():
                    self._write(tenant, rows)
                if stopping and not self._rows:
                    return
        finally:
            connection.close()

    def _write(self, tenant: Tenant, rows: list[LoggedRow]) -> None:
        for start in range(0, len(rows), LARGEST_BATCH):
            part = rows[start : start + LARGEST_BATCH]
            try:
                with tenant_scope(tenant):
                    insert_rows(part)
            except NoRoom as error:
                self._no_room[tenant.pk] = time.monotonic() + FULL_FOR
                logger.error(
                    "%d rows of the log of tenant %d are lost: %s", len(part), tenant.pk, error.detail
                )
            except FAILURES as error:
                self._keep(tenant, rows[start:], error)
                return
            with self._changed:
                self._held -= len(part)
                self._changed.notify_all()

    def _keep(self, tenant: Tenant, rows: list[LoggedRow], error: Exception) -> None:
        """Put back what could not be written, to be tried again after the next window."""
        logger.warning("The prediction log waits, %d rows: %s", len(rows), error)
        with suppress(*FAILURES):
            connection.close()
        with self._changed:
            later = self._rows.get(tenant.pk, (tenant, []))[1]
            self._rows[tenant.pk] = (tenant, rows + later)


BUFFER = LogBuffer()
