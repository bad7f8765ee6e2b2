"""Building a version again from its record, and saying honestly how far the two agree."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from mlplatform.tenancy.actors import SYSTEM, Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from registry.inference.native import predict
from registry.models import ModelVersion
from registry.problems import Predictions
from registry.services.loading import load_fresh
from training.automl.trials import TrialResult
from training.errors import NotReproducible
from training.models import JobState, TrainingJob, Trial
from training.models.job import Trigger
from training.services.claims import Claim, ClaimLost, demand, finish
from training.services.environments import environment_of
from training.services.fitting import classes_of, fitted, prepare
from training.services.heartbeats import Heartbeat
from training.services.jobs import create_job
from training.services.limits import highest_limits
from training.services.reporting import JobReporter
from training.services.tables import Table

# Threads add numbers up in whichever order they come: sums then differ in their last digits.
TOLERANCE = 1e-9
IDENTICAL, CLOSE, DIFFERENT = "identical", "close", "different"
SENTENCES = {
    IDENTICAL: "Built again, the version answers all {rows} hold-out rows alike, to the last bit.",
    CLOSE: "Built again, the version gives the same answers to all {rows} hold-out rows; numbers differ by "
    "at most {difference:.2g}, within the tolerance of {tolerance:g}.",
    DIFFERENT: "Built again, the version answers {changed} of {rows} hold-out rows otherwise; numbers differ "
    "by up to {difference:.2g}.",
}


@dataclass(frozen=True)
class Verdict:
    """How two models' answers to the same rows compare; ``environment`` names what is not as it was."""

    result: str
    rows: int
    changed: int
    difference: float
    tolerance: float = TOLERANCE
    environment: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        return SENTENCES[self.result].format(**asdict(self))


def create_reproduction(*, version: ModelVersion, by: Actor) -> TrainingJob:
    """Queue a job that builds the version again; send it with ``tasks.submit_reproduction``.

    Raises NotReproducible where nothing says how it was made, and what ``create_job`` raises.
    """
    original = _origin(version)
    threads = version.environment.get("threads", 1)
    limits = {**(original.config.get("limits") or {}), "cpus": min(threads, highest_limits()["cpus"])}
    return create_job(
        model=version.model,
        dataset=version.dataset,
        config={**original.config, "limits": limits},
        trigger=Trigger.REPRODUCTION,
        note=f"Builds {version} again as job {original.pk} did, and compares the two.",
        reproduces=version,
        by=by,
    )


def reproduce(claim: Claim, job: TrainingJob, heartbeat: Heartbeat) -> None:
    """Fit the version's winner as its record says, ask both models about the hold-out, keep the verdict."""
    version = _version(job)
    with tenant_transaction():
        winner = _winner(version)
    reporter = JobReporter(claim, job.model.problem.primary_metric)
    reporter.stage("Reading the data", 1)
    material = prepare(job, Table.of_job(job))
    heartbeat.check()
    reporter.stage(f"Fitting {winner.algorithm} again", 10)
    rebuilt, _ = fitted(job, material, winner)
    heartbeat.check()
    reporter.stage("Comparing the answers", 90)
    rows, _ = material.holdout
    classes = classes_of(material.problem, rebuilt)
    before, after = (predict(one, rows, classes) for one in (load_fresh(version), rebuilt))
    _keep(claim, job, compared(before, after, _changes(version.environment, environment_of(job))))


def compared(first: Predictions, second: Predictions, environment: list[str] | None = None) -> Verdict:
    """Compare two models' answers to the same rows.

    Args:
        first, second: with the classes in the same order. environment: what has changed, in words.
    """
    pairs = [
        (first.values, second.values),
        (first.probabilities, second.probabilities),
        (first.scores, second.scores),
    ]
    gaps = np.array([_gap(one, two) for one, two in pairs if one is not None and two is not None]).max(axis=0)
    changed = int((~(gaps <= TOLERANCE)).sum())
    difference = float(gaps[np.isfinite(gaps)].max(initial=0.0))
    identical = IDENTICAL if not gaps.any() else CLOSE
    return Verdict(
        DIFFERENT if changed else identical, len(first), changed, difference, environment=environment or []
    )


def _gap(one: npt.NDArray[Any], two: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """How far each row's answers are apart, as a share of the greatest; infinitely where labels differ."""
    if not np.issubdtype(np.asarray(one).dtype, np.number):
        return np.where(np.asarray(one) == np.asarray(two), 0.0, np.inf)
    apart = np.abs(np.asarray(one, dtype=float) - two) / max(1.0, float(np.abs(one).max(initial=0.0)))
    return np.asarray(apart.reshape(len(one), -1).max(axis=1))


def _version(job: TrainingJob) -> ModelVersion:
    if job.reproduces is None:
        raise NotReproducible(f"Job {job.pk} builds no version again.")
    return job.reproduces


def _origin(version: ModelVersion) -> TrainingJob:
    job = TrainingJob.objects.filter(version=version).first()
    if job is None:
        raise NotReproducible(
            f"{version} was not trained here, so nothing says how it was made. Train a version of your own."
        )
    _winner(version)
    return job


def _winner(version: ModelVersion) -> TrialResult:
    trial = Trial.objects.filter(job__version=version, rank=1, algorithm=version.algorithm).first()
    if trial is None:
        raise NotReproducible(
            f"The leaderboard of {version}'s job is gone, and with it the settings of the winner."
        )
    return TrialResult(
        trial.algorithm,
        trial.params,
        [],
        trial.mean,
        trial.std,
        0.0,
        preprocessing=trial.preprocessing,
        share=trial.share,
    )


def _changes(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    return [
        f"{name}: {then[name]} then, {now.get(name, 'not installed')} now"
        for name in then
        if name != "seed" and then[name] != now.get(name)
    ]


def _keep(claim: Claim, job: TrainingJob, verdict: Verdict) -> None:
    """End the job with its verdict in one transaction, or change nothing at all."""
    with tenant_transaction():
        if not finish(claim=claim, state=JobState.SUCCEEDED, verdict=asdict(verdict)):
            demand(claim)  # says whether the claim was lost or the job is to be cancelled
            raise ClaimLost
        level = "warning" if verdict.result == DIFFERENT else "info"
        job.log.create(level=level, message=verdict.sentence)
        for change in verdict.environment:
            job.log.create(level="warning", message=f"Not as it was: {change}.")
        told = asdict(verdict)
        record(by=SYSTEM, action="version.reproduced", target=_version(job), after=told, job=job.pk)
