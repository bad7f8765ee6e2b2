"""Watching a process that helps with another worker's search."""

import logging
import time
from typing import Any

from django.conf import settings
from django.db import Error, connection
from django.utils import timezone

from mlplatform.machine import MEGABYTE
from mlplatform.tenancy.request_context import current_request
from mlplatform.tenancy.scope import current_tenant_id, tenant_transaction
from training.services.claims import Pulse
from training.services.closing import closing
from training.services.helpers import HelpClaim, beat_help, leave, look_help
from training.services.helping import seconds_left
from training.services.jobs import find_job
from training.services.limits import Limits, limits_of, memory_text
from training.services.supervision import LOOK_EVERY_SECONDS, NEAR, SLACK, death_text
from training.services.trainers import Trainer, TrainerDied, borrowed

logger = logging.getLogger(__name__)


def supervise_help(*, claim: HelpClaim) -> None:
    """Have a process of its own help with the search; it can be stopped at any moment, and dies alone.

    It is killed where the job is cancelled, ends or goes to another worker, where its time or memory is used
    up, or where this worker is being stopped. Its trial is then for another worker.
    """
    with borrowed() as trainer:
        HelpWatch(claim, trainer).run()


class HelpWatch:
    """One helper in the hands of a trainer. ``run`` returns once it has left."""

    def __init__(self, claim: HelpClaim, trainer: Trainer) -> None:
        self.claim, self.trainer = claim, trainer
        with tenant_transaction():
            job = find_job(claim.job_id)
        self.config: dict[str, Any] = job.config
        self.limits: Limits = limits_of(job.config)
        self._deadline = time.monotonic() + seconds_left(job, timezone.now())
        self._beat_at = time.monotonic() + settings.TRAINING_HEARTBEAT_SECONDS
        self._most = 0  # bytes

    def run(self) -> None:
        """Give the order and follow it to its end."""
        lost = error = ""
        try:
            self.trainer.order(self._order())
            while self.trainer.reply(LOOK_EVERY_SECONDS) is None:
                error = self._uses_too_much()
                if error or self._is_over():
                    self.trainer.kill()
                    break
        except TrainerDied as died:
            error = memory_text(self.limits.memory_mb) if self._is_near_limit() else ""
            lost = f"Its process ended unexpectedly ({death_text(died.code)})."
        finally:
            leave(claim=self.claim, lost=lost, error=error)

    def _order(self) -> dict[str, Any]:
        return {
            "tenant": current_tenant_id(),
            "help": self.claim.as_text(),
            "config": {"limits": self.config.get("limits")},
            "request": current_request().request_id,
        }

    def _is_over(self) -> bool:
        if closing() or time.monotonic() > self._deadline:
            return True
        try:
            pulse = self._pulse()
        except Error:
            # The lease outlives several missed beats; the next one tries again on a new connection.
            logger.warning("The search of job %s could not be looked at.", self.claim.job_id, exc_info=True)
            connection.close()
            return False
        return pulse.cancel or not pulse.held

    def _pulse(self) -> Pulse:
        if time.monotonic() < self._beat_at:
            return look_help(claim=self.claim)
        self._beat_at = time.monotonic() + settings.TRAINING_HEARTBEAT_SECONDS
        return beat_help(claim=self.claim)

    def _uses_too_much(self) -> str:
        """Say so where the process takes more memory than the job may use."""
        self._most = max(self._most, self.trainer.grown)
        return memory_text(self.limits.memory_mb) if self._most > SLACK * self._memory else ""

    def _is_near_limit(self) -> bool:
        return self._most > NEAR * self._memory

    @property
    def _memory(self) -> int:
        return self.limits.memory_mb * MEGABYTE
