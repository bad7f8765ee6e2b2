"""Who helps with a job's search: places are taken, kept and left under a token, as jobs are."""

import json
import os
import socket
import uuid
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, Q, QuerySet
from django.utils import timezone

from mlplatform.tenancy.limits import limit_of
from mlplatform.tenancy.scope import current_tenant, current_tenant_id, tenant_transaction
from mlplatform.tenancy.services.usage import locked_usage, measured
from training.models import JobLogLine, JobState, SearchHelper, TrainingJob, Trial
from training.models.trial import TrialState
from training.services.claims import Claim, ClaimLost, Pulse, update
from training.signals import help_wanted

MOST_LOSSES = 2  # workers that a trial may take with it
OPEN = Q(state=JobState.RUNNING, cancel_requested=False, search_opened_at__isnull=False)


@dataclass(frozen=True)
class HelpClaim:
    """The right to make trials of a job until its search is over or the helper's heartbeat stops."""

    job_id: int
    helper_id: int
    number: int
    token: uuid.UUID

    def as_text(self) -> str:
        """Return the claim as it is handed to another process."""
        return json.dumps(asdict(self) | {"token": str(self.token)})

    @classmethod
    def from_text(cls, text: str) -> "HelpClaim":
        """Return the claim that ``as_text`` wrote."""
        told = json.loads(text)
        return cls(told["job_id"], told["helper_id"], told["number"], uuid.UUID(told["token"]))


def open_search(*, claim: Claim, places: int) -> None:
    """Let so many workers help with the job's search, and call them; raises ClaimLost."""
    with tenant_transaction():
        if not update(claim, search_opened_at=timezone.now()):
            raise ClaimLost
        tenant_id = current_tenant_id()

        def call() -> None:
            help_wanted.send(TrainingJob, tenant_id=tenant_id, job_id=claim.job_id, places=places)

        # Where the broker is away that is logged and no more: the sweep calls again.
        transaction.on_commit(call, robust=True)


def close_search(*, claim: Claim) -> None:
    """Send the helpers away: the search is over; raises ClaimLost."""
    with tenant_transaction():
        if not update(claim, search_opened_at=None):
            raise ClaimLost
        SearchHelper.objects.filter(job_id=claim.job_id, ended_at=None).update(ended_at=timezone.now())


def join(*, job_id: int) -> HelpClaim | None:
    """Take a place beside the job's own worker; None where there is none, or the tenant is at its limit.

    A waiting job of the tenant comes first: what is left of the tenant's share is then its own.
    """
    now = timezone.now()
    with tenant_transaction():
        locked_usage()  # of workers that come at once, none goes over the limit
        job = TrainingJob.objects.select_for_update().filter(OPEN, pk=job_id).first()
        if job is None or not free_places(job) or job.claim_token is None:
            return None
        if TrainingJob.objects.filter(state=JobState.QUEUED).exists():
            return None
        if measured("running_jobs") >= limit_of(current_tenant(), "running_jobs"):
            return None
        before = SearchHelper.objects.filter(job=job).aggregate(last=Max("number"))["last"]
        helper = SearchHelper.objects.create(
            job=job,
            number=(before or 1) + 1,
            name=f"{socket.gethostname()}, process {os.getpid()}",
            claim_token=uuid.uuid4(),
            job_token=job.claim_token,
            heartbeat_at=now,
        )
        JobLogLine.objects.create(job=job, message=f"Worker {helper.number} helps ({helper.name}).")
    return HelpClaim(job.pk, helper.pk, helper.number, helper.claim_token)


def free_places(job: TrainingJob) -> int:
    """Return how many more workers may help with the job."""
    return int(job.config.get("workers", 1)) - 1 - job.helpers.filter(ended_at=None).count()


def searches_to_help() -> list[TrainingJob]:
    """Return the active tenant's jobs with a place for a helper, the longest open first."""
    with tenant_transaction():
        if measured("running_jobs") >= limit_of(current_tenant(), "running_jobs"):
            return []
        open_jobs = TrainingJob.objects.filter(OPEN).order_by("search_opened_at")
        return [job for job in open_jobs if free_places(job) > 0]


def held(claim: HelpClaim) -> bool:
    """Give a sign of life; False where the helper has no place any more. Call it in a transaction."""
    return bool(_place(claim).update(heartbeat_at=timezone.now()))


def _place(claim: HelpClaim) -> "QuerySet[SearchHelper]":
    """Return the helper's row, while the search that it came for is open."""
    job = TrainingJob.objects.filter(pk=claim.job_id, state=JobState.RUNNING)
    return SearchHelper.objects.filter(
        pk=claim.helper_id,
        claim_token=claim.token,
        ended_at=None,
        job_token__in=job.filter(search_opened_at__isnull=False).values("claim_token"),
    )


def held_with_job(claim: HelpClaim) -> bool:
    """Keep the job as it is until the transaction ends; False where the helper has no place any more."""
    _lock(claim.job_id)
    return held(claim)


def _lock(job_id: int) -> None:
    """Lock the job's row: whoever writes to helpers and trials in one transaction takes it first."""
    list(TrainingJob.objects.select_for_update().filter(pk=job_id).values_list("pk"))


def beat_help(*, claim: HelpClaim) -> Pulse:
    """Renew the helper's lease, and look whether it is to go on."""
    with tenant_transaction():
        cancel = TrainingJob.objects.filter(pk=claim.job_id, cancel_requested=True).exists()
        return Pulse(held=held(claim), cancel=cancel)


def look_help(*, claim: HelpClaim) -> Pulse:
    """Look whether the helper is to go on, without a sign of life."""
    with tenant_transaction():
        cancel = TrainingJob.objects.filter(pk=claim.job_id, cancel_requested=True).exists()
        return Pulse(held=_place(claim).exists(), cancel=cancel)


def leave(*, claim: HelpClaim, lost: str = "", error: str = "") -> None:
    """Give the place up, and the trial with it: another worker makes it.

    Args:
        lost: what became of the process, in a sentence. The trial may be to blame, so this is counted.
        error: why the trial failed for good.
    """
    with tenant_transaction():
        _lock(claim.job_id)
        if error:
            mine = Trial.objects.filter(job_id=claim.job_id, claim_token=claim.token)
            mine.filter(state=TrialState.RUNNING).update(state=TrialState.FAILED, error=error)
        helper = SearchHelper.objects.filter(pk=claim.helper_id, claim_token=claim.token).first()
        if helper is not None:
            _end(helper, lost)


def release_lost(*, job_id: int, now: datetime) -> int:
    """End helpers without a sign of life for longer than the lease; return how many there were."""
    stale = now - timedelta(seconds=settings.TRAINING_LEASE_SECONDS)
    with tenant_transaction():
        _lock(job_id)
        lost = list(SearchHelper.objects.filter(job_id=job_id, ended_at=None, heartbeat_at__lt=stale))
        return sum(_end(helper, "It was lost.", unless_since=stale) for helper in lost)


def _end(helper: SearchHelper, lost: str, unless_since: datetime | None = None) -> bool:
    mine = SearchHelper.objects.filter(pk=helper.pk, ended_at=None)
    if unless_since is not None:
        mine = mine.filter(heartbeat_at__lt=unless_since)
    ended = mine.update(ended_at=timezone.now()) == 1
    if lost and ended:
        message = f"Worker {helper.number} helps no more. {lost}"
        JobLogLine.objects.create(job_id=helper.job_id, level="warning", message=message)
    if ended or unless_since is None:
        _release_trials(helper, lost)
    return ended


def _release_trials(helper: SearchHelper, lost: str) -> None:
    trials = Trial.objects.filter(
        job_id=helper.job_id, claim_token=helper.claim_token, state=TrialState.RUNNING
    )
    if lost:
        trials.update(losses=F("losses") + 1)
        sentence = f"{MOST_LOSSES} workers were lost with it. It may need more memory than there is."
        trials.filter(losses__gte=MOST_LOSSES).update(state=TrialState.FAILED, error=sentence)
    trials.update(state=TrialState.WAITING, claim_token=None, fold_scores=[], seen=[])
