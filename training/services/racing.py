"""An automatic search as a job's work: each trial a row, each fold a sign of life."""

import time
from functools import partial

import msgspec
from django.utils import timezone

from training.automl.again import other_folds
from training.automl.budget import AutoMLSettings
from training.automl.race import Field, Race
from training.automl.study import Candidate
from training.automl.trials import ENSEMBLE, TrialResult, TrialSpec
from training.errors import TrainingFailed
from training.models import TrainingJob, Trial
from training.preprocessing.options import SEARCHED
from training.services.fitting import Material, importance_effort
from training.services.heartbeats import Heartbeat
from training.services.limits import limits_of
from training.services.options import decision_of
from training.services.reporting import JobReporter, Scores

LAST_STEPS = 1.5  # seconds for measuring and storing the winner
BY_INPUT = 0.06  # seconds for what is measured of each input
LOOK_EVERY = 0.5  # seconds between two looks at whether the job is to stop, where folds take less


class JobObserver:
    """Follows a race in the job's rows."""

    def __init__(self, reporter: JobReporter, heartbeat: Heartbeat, span: tuple[int, int]) -> None:
        self.reporter, self.heartbeat, self.span = reporter, heartbeat, span
        self.looked = 0.0
        self.count = 0

    def check(self) -> None:
        """Raise where the job was cancelled, lost or has run for too long."""
        if time.monotonic() - self.looked >= LOOK_EVERY:
            self.heartbeat.check()
            self.looked = time.monotonic()

    def begun(self, spec: TrialSpec, share: float) -> Trial:
        """Add the trial's row."""
        self.count += 1
        return self.reporter.start_trial(spec, share)

    def fold(self, trial: Trial, index: int, scores: Scores, done: float) -> None:
        """Tell how far the job is, now and then."""
        if time.monotonic() - self.looked < LOOK_EVERY:
            return
        self.reporter.add_fold(trial, scores)
        low, high = self.span
        self.reporter.stage(
            f"AutoML, trial {self.count}: {trial.algorithm.replace('_', ' ')}, fold {index + 1}",
            low + round((high - low) * done),
        )
        self.check()

    def ended(self, trial: Trial, result: TrialResult) -> None:
        """Complete the trial's row."""
        self.reporter.end_trial(trial, result)

    def revised(self, trial: Trial, result: TrialResult) -> None:
        """Write what the further folds gave."""
        self.reporter.revise_trial(trial, result)

    def note(self, text: str) -> None:
        """Add a line to the log."""
        self.reporter.log(text)


def race(
    job: TrainingJob, material: Material, reporter: JobReporter, heartbeat: Heartbeat, span: tuple[int, int]
) -> TrialResult:
    """Search as the job's ``automl`` says, and return the winner; raises TrainingFailed where nothing fits.

    The time runs from the job's start, so that what came before the search counts.
    """
    stated = msgspec.convert(job.config["automl"], AutoMLSettings)
    before = (timezone.now() - job.started_at).total_seconds() if job.started_at else 0.0
    features, target = material.training
    seed = job.config["seed"]
    field = Field(
        features,
        target,
        material.columns,
        material.problem,
        material.folds(job.config),
        seed,
        decision_of(job.config, target),
        limits_of(job.config).cpus,
        other_folds(len(target), partial(material.folds, job.config), seed),
    )
    prepared = job.config.get("preprocessing") or {}
    candidates = [
        Candidate(item["key"], item["params"], prepared, tuple(SEARCHED)) for item in job.config["algorithms"]
    ]
    observer = JobObserver(reporter, heartbeat, span)
    began = time.monotonic() - before
    last = LAST_STEPS + BY_INPUT * len(material.columns)
    spare = partial(spare_seconds, material)
    run = Race(field, stated, candidates, observer, began=began, spare=spare, last=last)
    reporter.metric = run.metric.name
    best = run.run()
    reporter.rank([trial for trial, _ in run.ranked()])
    if best is None:
        reasons = "; ".join(dict.fromkeys(f"{one.algorithm}: {one.error}" for _, one, _ in run.results))
        raise TrainingFailed(
            f"None of the algorithms could be fitted. {reasons[:2000]}", code="nothing_fitted"
        )
    tell(run, best, reporter)
    return best


def spare_seconds(material: Material, milliseconds: float) -> float:
    """Return about how long one model's part in the winner's measurement takes after the last fit."""
    _, repeats = importance_effort(ENSEMBLE)
    return 1.5 * repeats * len(material.columns) * milliseconds / 1000


def tell(run: Race, best: TrialResult, reporter: JobReporter) -> None:
    """Say in the log what won and why."""
    metric = run.metric.title
    alone = next((one for _, one in run.ranked() if one.algorithm != ENSEMBLE), None)
    mean = 0.0 if best.mean is None else best.mean
    if best.algorithm == ENSEMBLE and alone is not None and alone.mean is not None:
        reporter.log(
            f"The winner is an ensemble of {len(best.spec.members)} models: {metric} {mean:.4f}, "
            f"the best single one reached {alone.mean:.4f}."
        )
        if run.sign * (alone.mean - mean) > 0:
            reporter.log(
                "The single one looks better because it was chosen among many by these very folds; chosen by "
                f"other folds, the best single one reaches {alone.mean - run.sign * run.flattered:.4f}."
            )
    else:
        reporter.log(f"The winner is {best.algorithm}: {metric} {mean:.4f}.")
    if run.settings.per_millisecond:
        reporter.log(
            f"A millisecond of an answer's time was counted as {run.settings.per_millisecond:g} of {metric}; "
            f"the winner answers in {best.predict_ms or 0.0:.1f} ms."
        )
