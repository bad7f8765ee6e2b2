"""The sign of life of a running job."""

import logging
import threading
import time
from types import TracebackType
from typing import Self

from django.conf import settings
from django.db import Error, connection

from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import current_tenant, tenant_scope
from training.errors import TrainingFailed
from training.services.claims import Claim, ClaimLost, JobCancelled, Pulse, beat
from training.services.helpers import HelpClaim, beat_help
from training.services.limits import timeout_text

logger = logging.getLogger(__name__)


class Heartbeat:
    """Renews a claim from a thread of its own while a long fit keeps the worker busy.

    The time is up after ``seconds``; ``allowed`` is what the whole job may take, where that is more.
    """

    def __init__(
        self,
        claim: Claim | HelpClaim,
        *,
        seconds: float,
        beating: bool = True,
        allowed: float | None = None,
    ) -> None:
        self.claim, self._beating, self._allowed = claim, beating, allowed or seconds
        self._tenant: Tenant = current_tenant()
        self._stop = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"heartbeat of job {claim.job_id}", daemon=True
        )
        self._deadline = time.monotonic() + seconds

    def __enter__(self) -> Self:
        """Start beating, unless another process does."""
        if self._beating:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop beating and wait for the thread."""
        self._stop.set()
        if self._beating:
            self._thread.join()

    def check(self) -> None:
        """Raise ClaimLost, JobCancelled, or TrainingFailed once the time is up; called between folds."""
        if self._lost.is_set():
            raise ClaimLost
        pulse = _pulse(self.claim)
        if not pulse.held:
            raise ClaimLost
        if pulse.cancel:
            raise JobCancelled
        if time.monotonic() > self._deadline:
            raise TrainingFailed(timeout_text(self._allowed), code="timeout")

    def _run(self) -> None:
        try:
            with tenant_scope(self._tenant):
                while not self._stop.wait(settings.TRAINING_HEARTBEAT_SECONDS):
                    self._beat_once()
        finally:
            connection.close()

    def _beat_once(self) -> None:
        try:
            if not _pulse(self.claim).held:
                self._lost.set()
                self._stop.set()
        except Error:
            # The lease outlives several missed beats; the next one tries again on a new connection.
            logger.warning("A heartbeat of job %s could not be written.", self.claim.job_id, exc_info=True)
            connection.close()


def _pulse(claim: Claim | HelpClaim) -> Pulse:
    return beat(claim=claim) if isinstance(claim, Claim) else beat_help(claim=claim)
