"""The rows that wait for versions in shadow, in the memory of the server process.

Putting rows never waits: what does not fit is dropped, and counted for each version. A thread takes what has
gathered, and then rests three times as long as it has worked, so that shadows never have more than a quarter
of a processor. A clean stop answers what waits, as far as there is time.
"""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from mlplatform.errors import PlatformError
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.models import ModelVersion
from registry.services.background import STOP_WITHIN, BackgroundThread
from registry.services.shadows import Question, answer_in_shadow, count_dropped, logged_ids

logger = logging.getLogger(__name__)
WINDOW = 0.5  # seconds
LOOK_AGAIN = 0.05  # seconds, while it stops
LARGEST = 2_000  # rows of all tenants together
REST = 3.0  # times as long as it has worked
LOGGED_WITHIN = 30.0  # seconds in which the log's own row must have been written
FULL = "The queue of the server process was full."
LATE = "The row was not in the log in time."
STOPPED = "The server process stopped."
FAILURES = (DatabaseError, InterfaceError, PlatformError)


class ShadowQueue(BackgroundThread):
    """Questions that wait; safe to share between threads, and begun anew after a fork."""

    def __init__(self) -> None:
        super().__init__("shadow answers")
        self._waiting: list[tuple[float, Question]] = []
        self._held = 0  # rows that wait or are being answered
        self._dropped: dict[ModelVersion, Counter[str]] = defaultdict(Counter)
        self._tenants: dict[ModelVersion, Tenant] = {}

    def put(self, question: Question) -> None:
        """Take the question, or drop and count its rows where they do not fit; never waits."""
        with self._changed:
            self._start()
            if self._stopping or self._held + len(question.rows) > LARGEST:
                self._drop(question, STOPPED if self._stopping else FULL)
                return
            self._waiting.append((time.monotonic() + LOGGED_WITHIN, question))
            self._held += len(question.rows)

    def stop(self) -> None:
        """Have answered what waits, as far as there is time; the rest is counted in the log."""
        super().stop()
        if self._held:
            logger.error("%d rows were not answered in shadow before the stop", self._held)

    def wait_until_answered(self, timeout: float) -> bool:
        """Return when nothing waits any more, or False after so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._held and not self._dropped, timeout)

    def _work_on(self) -> None:
        rest, last_at = 0.0, float("inf")
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, timeout=max(WINDOW, rest))
                    stopping, gathered, self._waiting = self._stopping, self._waiting, []
                close_old_connections()  # one that was lost is not asked again
                started = time.monotonic()
                last_at = min(last_at, started + STOP_WITHIN / 2) if stopping else last_at
                self._work(gathered, give_up=started >= last_at)
                rest = REST * (time.monotonic() - started)
                if stopping and not self._waiting:
                    return
                if stopping:  # what waits is not in the log yet
                    with self._changed:
                        self._changed.wait(LOOK_AGAIN)
        finally:
            connection.close()

    def _work(self, gathered: list[tuple[float, Question]], *, give_up: bool) -> None:
        """Answer what is in the log by now, keep what is not, and count what was dropped."""
        later: list[tuple[float, Question]] = []
        try:
            by_tenant: dict[int, list[tuple[float, Question]]] = defaultdict(list)
            for until, question in gathered:
                by_tenant[question.tenant.pk].append((until, question))
            for questions in by_tenant.values():
                later += self._answer(questions, give_up=give_up)
        finally:
            with self._changed:
                kept = sum(len(question.rows) for _, question in later)
                self._held += kept - sum(len(question.rows) for _, question in gathered)
                self._waiting = later + self._waiting
        self._tell()
        with self._changed:
            self._changed.notify_all()

    def _answer(
        self, questions: Sequence[tuple[float, Question]], *, give_up: bool
    ) -> list[tuple[float, Question]]:
        """Answer one tenant's questions; return those whose rows are not in the log yet."""
        tenant, now = questions[0][1].tenant, time.monotonic()
        ready: list[Question] = []
        later: list[tuple[float, Question]] = []
        with tenant_scope(tenant):
            try:
                known = logged_ids([row.pk for _, question in questions for row in question.rows])
            except FAILURES as error:
                logger.warning("Shadow answers wait for the database: %s", error)
                known = set()
            for until, question in questions:
                if known.issuperset(row.pk for row in question.rows):
                    ready.append(question)
                elif give_up or now >= until:
                    self._drop(question, LATE)
                else:
                    later.append((until, question))
            self._ask(ready)
        return later

    def _ask(self, questions: Sequence[Question]) -> None:
        together: dict[ModelVersion, list[Question]] = defaultdict(list)
        for question in questions:
            for version in question.shadows:
                together[version].append(question)
        for version, asked in together.items():
            try:
                answer_in_shadow(version=version, questions=asked)
            except FAILURES as error:
                told = error.detail if isinstance(error, PlatformError) else type(error).__name__
                logger.warning("%s did not answer in shadow: %s", version, told)
                for question in asked:
                    self._drop(replace(question, shadows=(version,)), told)

    def _drop(self, question: Question, reason: str) -> None:
        with self._changed:  # the lock may be held already: it lets its holder in again
            for version in question.shadows:
                self._dropped[version][reason] += sum(row.heard.pk != version.pk for row in question.rows)
                self._tenants[version] = question.tenant

    def _tell(self) -> None:
        """Write down what was dropped; what cannot be written now is tried again."""
        with self._changed:
            dropped = [
                (version, reason, rows)
                for version, reasons in self._dropped.items()
                for reason, rows in reasons.items()
            ]
        for version, reason, rows in dropped:
            try:
                with tenant_scope(self._tenants[version]):
                    count_dropped(version=version, rows=rows, reason=reason)
            except FAILURES as error:
                logger.warning("%d dropped rows of %s are not counted yet: %s", rows, version, error)
                continue
            with self._changed:
                self._dropped[version][reason] -= rows
                self._dropped[version] += Counter()  # lets go of what is nought
                if not self._dropped[version]:
                    del self._dropped[version]


QUEUE = ShadowQueue()
