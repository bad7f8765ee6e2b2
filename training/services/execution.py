"""Running a claimed job from its first row to its version."""

import logging
import traceback

from mlplatform.errors import PlatformError
from mlplatform.tenancy.actors import Actor, ActorKind
from mlplatform.tenancy.scope import tenant_transaction
from registry.frames import dataset_frame
from registry.models import ModelVersion
from registry.models.version import VersionStatus
from registry.problems import get_problem
from registry.services.versions import (
    StoredArtifact,
    TrainedModel,
    announce_version,
    register_version,
    store_artifact,
)
from training.automl.leaderboard import rank
from training.automl.search import TrialResult, TrialSpec, cross_validate
from training.errors import TrainingFailed
from training.evaluation.splits import folds
from training.models import JobState, TrainingJob, Trial
from training.services.claims import Claim, ClaimLost, JobCancelled, demand, finish
from training.services.fitting import Material, prepare, refit
from training.services.heartbeats import Heartbeat
from training.services.jobs import find_job
from training.services.reporting import JobReporter, Scores

logger = logging.getLogger(__name__)
SEARCH_FROM, SEARCH_TO = 5, 85  # percent of the job


def run(*, claim: Claim) -> None:
    """Do the claimed job and record how it ended.

    Expected trouble ends it as FAILED with a code and a sentence; anything else as ERRORED with the
    traceback, and is raised on. A job whose claim was lost meanwhile is left to whoever has it now.
    """
    try:
        with Heartbeat(claim) as heartbeat:
            _train(claim, heartbeat)
    except ClaimLost:
        logger.warning("Job %s went to another worker or ended; this result is dropped.", claim.job_id)
    except JobCancelled:
        finish(claim=claim, state=JobState.CANCELLED)
    except PlatformError as error:
        finish(claim=claim, state=JobState.FAILED, error_code=error.code, error=error.detail)
    except MemoryError:
        sentence = "The training needs more memory than there is. Use fewer rows, columns or trees."
        finish(claim=claim, state=JobState.FAILED, error_code="out_of_memory", error=sentence)
    except Exception as error:
        sentence = f"{type(error).__name__}: {error}"
        finish(
            claim=claim,
            state=JobState.ERRORED,
            error_code="internal_error",
            error=sentence,
            traceback=traceback.format_exc(),
        )
        raise


def _train(claim: Claim, heartbeat: Heartbeat) -> None:
    with tenant_transaction():
        job = find_job(claim.job_id)
    material = prepare(job, dataset_frame(job.dataset))
    reporter = JobReporter(claim, material.problem.primary_metric)
    _tell_material(job, material, reporter)
    best = _search(job, material, reporter, heartbeat)
    heartbeat.check()
    reporter.stage(f"Fitting {best.algorithm} on all training rows", SEARCH_TO)
    trained = refit(job, material, best)
    heartbeat.check()
    reporter.stage("Storing the version", 95)
    _complete(job, trained, store_artifact(trained), claim)


def _tell_material(job: TrainingJob, material: Material, reporter: JobReporter) -> None:
    learnt, kept = int((~material.held_out).sum()), int(material.held_out.sum())
    reporter.stage("Preparing the data", SEARCH_FROM)
    reporter.log(
        f"Attempt {job.attempt}: {learnt} rows to learn from, {kept} held out, "
        f"{len(material.columns)} inputs."
    )
    if material.rows_without_target:
        reporter.log(f"{material.rows_without_target} rows without a target were left out.", "warning")


def _search(job: TrainingJob, material: Material, reporter: JobReporter, heartbeat: Heartbeat) -> TrialResult:
    """Cross-validate each algorithm and return the best; raises TrainingFailed where none can be fitted."""
    features, target = material.training
    parts = folds(target, material.problem, job.config["folds"], job.config["seed"])
    specs = [TrialSpec(item["key"], item["params"]) for item in job.config["algorithms"]]
    trials: list[tuple[Trial, TrialResult]] = []
    steps = len(specs) * len(parts)
    for place, spec in enumerate(specs):
        trial = reporter.start_trial(spec.algorithm, dict(spec.params))

        def on_fold(fold: int, scores: Scores, trial: Trial = trial, done: int = place * len(parts)) -> None:
            reporter.add_fold(trial, scores)
            percent = SEARCH_FROM + (SEARCH_TO - SEARCH_FROM) * (done + fold + 1) // steps
            reporter.stage(f"{trial.algorithm}: fold {fold + 1} of {len(parts)}", percent)
            heartbeat.check()

        heartbeat.check()
        result = cross_validate(
            spec, features, target, material.columns, material.problem, parts, job.config["seed"], on_fold
        )
        reporter.end_trial(trial, result)
        trials.append((trial, result))
    return _best(material, reporter, trials)


def _best(material: Material, reporter: JobReporter, trials: list[tuple[Trial, TrialResult]]) -> TrialResult:
    ranked = rank([result for _, result in trials], material.problem)
    places = {id(result): place for place, result in enumerate(ranked)}
    reporter.rank([trial for trial, _ in sorted(trials, key=lambda pair: places[id(pair[1])])])
    if ranked[0].error is not None:
        reasons = "; ".join(f"{result.algorithm}: {result.error}" for result in ranked)
        raise TrainingFailed(f"None of the algorithms could be fitted. {reasons}", code="nothing_fitted")
    return ranked[0]


def _complete(
    job: TrainingJob, trained: TrainedModel, artifact: StoredArtifact, claim: Claim
) -> ModelVersion:
    """Register the version and end the job in one transaction, or change nothing at all."""
    by = Actor(ActorKind.SYSTEM, f"training job {job.pk}", job.pk)
    with tenant_transaction():
        if not finish(claim=claim, state=JobState.SUCCEEDED):
            demand(claim)  # says whether the claim was lost or the job is to be cancelled
            raise ClaimLost
        version = register_version(model=job.model, trained=trained, artifact=artifact, by=by)
        TrainingJob.objects.filter(pk=job.pk).update(version=version)
        job.log.create(message=f"Registered {version}: hold-out {_shown(job, trained)}.")
        if version.status == VersionStatus.FAILED:
            job.log.create(level="error", message=f"{version} failed its smoke test: {version.status_reason}")
        announce_version(version)
    return version


def _shown(job: TrainingJob, trained: TrainedModel) -> str:
    metric = get_problem(job.model.problem_type).primary
    return (
        f"{metric.title} {trained.metrics[metric.name]:.4f}" if metric.name in trained.metrics else "unscored"
    )
