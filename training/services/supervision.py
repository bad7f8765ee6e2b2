"""Watching a job that another process works on: its lease, its limits, and the wish to stop it."""

import logging
import signal
import time
from typing import Any

from django.conf import settings
from django.db import Error, connection
from django.utils import timezone

from mlplatform.machine import MEGABYTE
from mlplatform.tenancy.request_context import current_request
from mlplatform.tenancy.scope import current_tenant_id, tenant_transaction
from training.models import JobState
from training.services.claims import Claim, Pulse, beat, finish, look
from training.services.closing import closing
from training.services.jobs import find_job
from training.services.limits import Limits, limits_of, memory_text, timeout_text
from training.services.sweeping import give_back, hand_back
from training.services.trainers import Trainer, TrainerDied, borrowed

logger = logging.getLogger(__name__)
LOOK_EVERY_SECONDS = 0.25
LAST_WORDS_SECONDS = 30.0  # a job that has ended may still tell others of its version
SLACK = 1.25  # of the memory: the process's own limit is to speak first
NEAR = 0.8  # a process that died with so much of its memory used most likely died of that


class Watch:
    """One job in the hands of a trainer. ``run`` returns once the job has ended or has gone elsewhere."""

    def __init__(self, claim: Claim, trainer: Trainer) -> None:
        self.claim, self.trainer = claim, trainer
        with tenant_transaction():
            self.config: dict[str, Any] = find_job(claim.job_id).config
        self.limits: Limits = limits_of(self.config)
        started = time.monotonic()
        self._deadline = started + self.limits.seconds
        self._beat_at = started + settings.TRAINING_HEARTBEAT_SECONDS
        self._ended_at: float | None = None
        self._most = 0  # bytes

    def run(self) -> None:
        """Give the order and follow it to its end."""
        try:
            self.trainer.order(self._order())
            while self.trainer.reply(LOOK_EVERY_SECONDS) is None:
                if self._stopped():
                    return
            self._settle("The database was away as the job ended.")
        except TrainerDied as died:
            self._account_for(died.code)

    def _order(self) -> dict[str, Any]:
        return {
            "tenant": current_tenant_id(),
            "claim": self.claim.as_text(),
            "config": {"limits": self.config.get("limits")},
            "request": current_request().request_id,
        }

    def _stopped(self) -> bool:
        """Stop the job where there is a reason to; True where it was."""
        if closing():
            return self._kill() and hand_back(claim=self.claim)
        if time.monotonic() > self._deadline:
            return self._fail("timeout", timeout_text(self.limits.seconds))
        if self._uses() > SLACK * self.limits.memory_mb * MEGABYTE:
            return self._fail("out_of_memory", memory_text(self.limits.memory_mb))
        pulse = self._pulse()
        if pulse is None or (pulse.held and not pulse.cancel):
            return False
        if pulse.held:
            return self._kill() and finish(claim=self.claim, state=JobState.CANCELLED)
        return self._gone(pulse)

    def _gone(self, pulse: Pulse) -> bool:
        """A job that ended may take a moment to say so; one that another worker has is not to go on."""
        if not pulse.ended:
            logger.warning("Job %s went to another worker; this one is stopped.", self.claim.job_id)
            return self._kill()
        self._ended_at = self._ended_at or time.monotonic()
        return time.monotonic() > self._ended_at + LAST_WORDS_SECONDS and self._kill()

    def _pulse(self) -> Pulse | None:
        """Look at the job's row, and beat where it is time to; None where the database does not answer."""
        try:
            if time.monotonic() < self._beat_at:
                return look(claim=self.claim)
            self._beat_at = time.monotonic() + settings.TRAINING_HEARTBEAT_SECONDS
            return beat(claim=self.claim)
        except Error:
            # The lease outlives several missed beats; the next one tries again on a new connection.
            logger.warning("Job %s could not be looked at.", self.claim.job_id, exc_info=True)
            connection.close()
            return None

    def _uses(self) -> int:
        self._most = max(self._most, self.trainer.grown)
        return self._most

    def _kill(self) -> bool:
        self.trainer.kill()
        return True

    def _fail(self, code: str, sentence: str) -> bool:
        self._kill()
        finish(claim=self.claim, state=JobState.FAILED, error_code=code, error=sentence)
        return True

    def _account_for(self, code: int) -> None:
        """Say what became of a job whose process died: of memory, or of what may not happen again."""
        if self._most > NEAR * self.limits.memory_mb * MEGABYTE:
            self._fail("out_of_memory", memory_text(self.limits.memory_mb))
        else:
            self._settle(f"The process that trained it ended unexpectedly ({death_text(code)}).")

    def _settle(self, what: str) -> None:
        """Give the job back where it did not end."""
        with tenant_transaction():
            job = find_job(self.claim.job_id)
        if job.state == JobState.RUNNING and job.claim_token == self.claim.token:
            give_back(job, timezone.now(), what)


def supervise(*, claim: Claim) -> None:
    """Have a process of its own do the claimed job; it can be stopped at any moment, and dies alone.

    Its end is in the job's row: a job whose process died is put back into the queue, a bounded number of
    times.
    """
    with borrowed() as trainer:
        Watch(claim, trainer).run()


def death_text(code: int) -> str:
    """Return how a process ended, in words."""
    if code >= 0:
        return f"exit code {code}"
    return f"signal {signal.Signals(-code).name}"
