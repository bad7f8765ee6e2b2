"""What a running job tells of itself: stage, progress, log lines and trials, as they come."""

from collections.abc import Sequence

from mlplatform.tenancy.scope import tenant_transaction
from training.automl.trials import TrialResult, TrialSpec
from training.checks import Finding, Verdict
from training.models import JobLogLine, Trial
from training.models.trial import TrialState
from training.services.checks import as_json
from training.services.claims import Claim, ClaimLost, update

Scores = dict[str, float]
RESULT = ["mean", "std", "fit_seconds", "predict_ms", "size_bytes", "fold_scores", "error", "state"]


class JobReporter:
    """Writes under the job's claim: a report of a worker that lost the job raises ClaimLost."""

    def __init__(self, claim: Claim, metric: str) -> None:
        self.claim = claim
        self.metric = metric

    def stage(self, name: str, percent: int) -> None:
        """Say what is being done, and how far the job is."""
        with tenant_transaction():
            if not update(self.claim, stage=name[:100], progress=percent):
                raise ClaimLost

    def log(self, message: str, level: str = "info") -> None:
        """Append a line to the job's log."""
        with tenant_transaction():
            if not update(self.claim):
                raise ClaimLost
            JobLogLine.objects.create(job_id=self.claim.job_id, level=level, message=message)

    def findings(self, found: Sequence[Finding]) -> None:
        """Keep what the checks of the data found, and log what is not in order."""
        with tenant_transaction():
            if not update(self.claim, findings=as_json(found)):
                raise ClaimLost
        for finding in found:
            if finding.verdict is not Verdict.passed:
                self.log(f"{finding.message} {finding.hint}".strip(), "warning")

    def start_trial(self, spec: TrialSpec, share: float = 1.0) -> Trial:
        """Add a row to the leaderboard that fills as the folds end."""
        with tenant_transaction():
            if not update(self.claim):
                raise ClaimLost
            return Trial.objects.create(
                job_id=self.claim.job_id,
                algorithm=spec.algorithm,
                params=spec.params,
                preprocessing=spec.preprocessing,
                metric=self.metric,
                share=share,
            )

    def add_fold(self, trial: Trial, scores: Scores) -> None:
        """Add one fold's scores to the trial."""
        trial.fold_scores = [*trial.fold_scores, scores]
        with tenant_transaction():
            trial.save(update_fields=["fold_scores"])

    def end_trial(self, trial: Trial, result: TrialResult) -> None:
        """Complete the trial's row and log its outcome."""
        trial.mean, trial.std = result.mean, result.std
        trial.fit_seconds = result.fit_seconds
        trial.predict_ms, trial.size_bytes = result.predict_ms, result.size_bytes
        trial.fold_scores = result.fold_scores
        trial.error = result.error or ""
        trial.state = _state(result)
        with tenant_transaction():
            trial.save(update_fields=RESULT)
        for warning in result.warnings:
            self.log(f"{result.algorithm}: {warning}", "warning")
        if result.given_up:
            self.log(
                f"{result.algorithm}: given up after {len(result.fold_scores)} folds, others are better."
            )
        elif result.mean is None or result.std is None:
            self.log(f"{result.algorithm} could not be fitted: {result.error}", "warning")
        else:
            self.log(f"{result.algorithm}: {trial.metric} {result.mean:.4f} ± {result.std:.4f}")

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
