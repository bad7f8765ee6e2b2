"""What a running job tells of itself: stage, progress, log lines and trials, as they come."""

from collections.abc import Sequence
from typing import Any

from mlplatform.tenancy.scope import tenant_transaction
from training.automl.trials import TrialResult, TrialSpec
from training.checks import Finding, Verdict
from training.models import JobLogLine, Trial
from training.models.trial import TrialState
from training.services.checks import as_json
from training.services.claims import Claim, ClaimLost, update
from training.services.helpers import HelpClaim, held_with_job

Scores = dict[str, float]
RESULT = ["mean", "std", "fit_seconds", "predict_ms", "size_bytes", "fold_scores", "error", "state"]


class JobReporter:
    """Writes under the job's claim: a report of a worker that lost the job raises ClaimLost."""

    worker = 1

    def __init__(self, claim: Claim, metric: str) -> None:
        self.claim = claim
        self.job_id, self.token = claim.job_id, claim.token
        self.metric = metric

    def hold(self, **fields: Any) -> None:
        """Change the job's row, a sign of life too, in the transaction that is open; raises ClaimLost."""
        if not update(self.claim, **fields):
            raise ClaimLost

    def stage(self, name: str, percent: int) -> None:
        """Say what is being done, and how far the job is."""
        with tenant_transaction():
            self.hold(stage=name[:100], progress=percent)

    def log(self, message: str, level: str = "info") -> None:
        """Append a line to the job's log."""
        with tenant_transaction():
            self.hold()
            JobLogLine.objects.create(job_id=self.job_id, level=level, message=message)

    def findings(self, found: Sequence[Finding]) -> None:
        """Keep what the checks of the data found, and log what is not in order."""
        with tenant_transaction():
            self.hold(findings=as_json(found))
        for finding in found:
            if finding.verdict is not Verdict.passed:
                self.log(f"{finding.message} {finding.hint}".strip(), "warning")

    def start_trial(self, spec: TrialSpec, share: float = 1.0, place: int | None = None) -> Trial:
        """Add a row to the leaderboard that fills as the folds end.

        Raises IntegrityError where another worker has begun the trial at this place.
        """
        with tenant_transaction():
            self.hold()
            return Trial.objects.create(
                job_id=self.job_id,
                algorithm=spec.algorithm,
                params=spec.params,
                preprocessing=spec.preprocessing,
                metric=self.metric,
                share=share,
                number=place,
                worker=self.worker,
                claim_token=self.token,
            )

    def take_trial(self, trial: Trial) -> bool:
        """Begin a trial anew that lost its worker; False where another worker was quicker."""
        with tenant_transaction():
            self.hold()
            waiting = Trial.objects.filter(pk=trial.pk, state=TrialState.WAITING)
            if not waiting.update(state=TrialState.RUNNING, worker=self.worker, claim_token=self.token):
                return False
            trial.refresh_from_db()
        return True

    def add_fold(self, trial: Trial, scores: Scores) -> None:
        """Add one fold's scores to the trial."""
        trial.fold_scores = [*trial.fold_scores, scores]
        trial.seen = [*trial.seen, scores.get(trial.metric)]
        self._write(trial, ["fold_scores", "seen"])

    def _write(self, trial: Trial, fields: Sequence[str], state: TrialState = TrialState.RUNNING) -> None:
        """Write to a trial that is this worker's; raises ClaimLost where it was taken away."""
        with tenant_transaction():
            mine = Trial.objects.filter(pk=trial.pk, claim_token=self.token, state=state)
            if not mine.update(**{name: getattr(trial, name) for name in fields}):
                raise ClaimLost

    def end_trial(self, trial: Trial, result: TrialResult) -> None:
        """Complete the trial's row and log its outcome."""
        trial.mean, trial.std = result.mean, result.std
        trial.fit_seconds = result.fit_seconds
        trial.predict_ms, trial.size_bytes = result.predict_ms, result.size_bytes
        trial.fold_scores = result.fold_scores
        trial.error = result.error or ""
        trial.state = _state(result)
        self._write(trial, RESULT)
        for warning in result.warnings:
            self.log(f"{result.algorithm}: {warning}", "warning")
        if result.given_up:
            self.log(
                f"{result.algorithm}: given up after {len(result.fold_scores)} of its folds: "
                "others are better, or its time was over."
            )
        elif result.mean is None or result.std is None:
            self.log(f"{result.algorithm} could not be fitted: {result.error}", "warning")
        else:
            self.log(f"{result.algorithm}: {trial.metric} {result.mean:.4f} ± {result.std:.4f}")

    def revise_trial(self, trial: Trial, result: TrialResult) -> None:
        """Write the scores of a complete trial anew, after it was looked at on further folds."""
        trial.mean, trial.std = result.mean, result.std
        trial.fit_seconds, trial.fold_scores = result.fit_seconds, result.fold_scores
        self._write(trial, ["mean", "std", "fit_seconds", "fold_scores"], TrialState.COMPLETE)

    def rank(self, trials: Sequence[Trial]) -> None:
        """Write the leaderboard's order: the first trial is the best."""
        for place, trial in enumerate(trials, 1):
            trial.rank = place if trial.state == TrialState.COMPLETE else None
        with tenant_transaction():
            Trial.objects.bulk_update(trials, ["rank"])


def _state(result: TrialResult) -> TrialState:
    if result.given_up:
        return TrialState.GIVEN_UP
    return TrialState.FAILED if result.mean is None else TrialState.COMPLETE


class HelperReporter(JobReporter):
    """Writes what a helper makes; the job's own worker tells of stage and progress."""

    def __init__(self, claim: HelpClaim, metric: str) -> None:
        self.help = claim
        self.job_id, self.token, self.worker = claim.job_id, claim.token, claim.number
        self.metric = metric

    def hold(self, **fields: Any) -> None:
        """Give a sign of life, and keep the job as it is until the transaction ends; raises ClaimLost."""
        if not held_with_job(self.help):
            raise ClaimLost

    def stage(self, name: str, percent: int) -> None:
        """Say nothing: the job's own worker tells how far it is."""
