"""A job from its rows to its version."""

import numpy as np
import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.scope import tenant_transaction
from registry.frames import dataset_frame
from registry.models import Dataset, ModelVersion
from registry.models.version import VersionStatus
from registry.problems import get_problem
from registry.services.loading import load_pipeline
from registry.services.promotion import promote
from registry.tabular.holdout import holdout_mask
from tests.factories import make_dataset, make_model, table
from tests.training.conftest import QUICK, MakeJob
from training.models import JobState, TrainingJob
from training.services import execution
from training.services.claims import Claim, claim
from training.services.jobs import create_job, find_job, request_cancel
from training.services.reporting import JobReporter

pytestmark = pytest.mark.usefixtures("in_tenant")


def run(job: TrainingJob) -> TrainingJob:
    taken = claim(job_id=job.pk)
    assert taken is not None
    execution.run(claim=taken)
    return find_job(job.pk)


@pytest.fixture
def trained(make_job: MakeJob) -> TrainingJob:
    return run(make_job(algorithms=["logistic_regression", "decision_tree"]))


def test_the_best_trial_becomes_a_version(trained: TrainingJob) -> None:
    assert (trained.state, trained.progress, trained.error) == (JobState.SUCCEEDED, 100, "")
    best, second = trained.ranked_trials
    assert (best.rank, second.rank) == (1, 2)
    assert (best.mean or 0) > (second.mean or 0) > 0
    assert len(best.fold_scores) == 2
    version = trained.version
    assert version is not None
    assert (version.number, version.status, version.algorithm) == (1, VersionStatus.READY, best.algorithm)
    assert version.metrics["f1"] > 0.9
    assert version.cv_metrics["f1"]["mean"] == pytest.approx(best.mean)
    assert version.classes == ["benign", "malignant"]
    assert version.environment["seed"] == 42
    assert version.twin_file
    assert version.twin["rows"] == 569
    assert version.twin["difference"] < 1e-9


def test_metrics_are_those_of_the_stored_artefact_on_rows_it_never_saw(trained: TrainingJob) -> None:
    version = trained.version
    assert version is not None
    frame = dataset_frame(version.dataset)
    held_out = frame[holdout_mask(frame, "diagnosis")]
    assert version.holdout_rows == len(held_out)
    answers = load_pipeline(version).predict(held_out.drop(columns="diagnosis"))
    accuracy = float(np.mean(answers == held_out["diagnosis"].to_numpy()))
    assert accuracy == pytest.approx(version.metrics["accuracy"])


def test_the_version_knows_how_sure_its_figures_are(trained: TrainingJob) -> None:
    version = trained.version
    assert version is not None
    assert set(version.evaluation["intervals"]) == set(version.metrics)
    for name in ("f1", "roc_auc", "brier"):
        low, high = version.evaluation["intervals"][name]
        assert low <= version.metrics[name] <= high
    assert sum(map(sum, version.evaluation["confusion"]["matrix"])) == version.holdout_rows
    assert version.evaluation["slices"]
    rows = [point["rows"] for point in version.evaluation["learning"]]
    assert rows == sorted(rows)
    assert [one["promised"] for one in version.evaluation["coverage"]] == [0.8, 0.9, 0.95]
    assert (version.conformal or {})["rows"] > 0


def test_references_cover_inputs_and_predictions(trained: TrainingJob) -> None:
    version = trained.version
    assert version is not None
    assert len(version.reference) == 31
    assert sum(version.reference["prediction"]["counts"]) == version.holdout_rows
    assert {item["feature"] for item in version.importance} == {item["name"] for item in version.features}


def test_the_version_can_be_promoted(trained: TrainingJob) -> None:
    assert trained.version is not None
    assert promote(model=trained.model, version=trained.version, by=SYSTEM).version == trained.version


def test_the_log_tells_the_story(trained: TrainingJob) -> None:
    story = "\n".join(line.message for line in trained.log.all())
    assert "held out" in story
    assert "logistic_regression: f1 0.9" in story
    assert "Registered cancer v1" in story


@pytest.mark.any_database
def test_the_same_seed_gives_the_same_scores(make_job: MakeJob) -> None:
    first = run(make_job(algorithms=["random_forest"]))
    second = run(make_job(first.model, algorithms=["random_forest"]))
    assert first.version is not None
    assert second.version is not None
    assert first.version.metrics == second.version.metrics
    assert second.version.number == 2


@pytest.mark.any_database
def test_a_regression_is_trained_as_well() -> None:
    job = create_job(
        model=make_model(data="diabetes"),
        dataset=make_dataset("diabetes"),
        by=SYSTEM,
        config={"algorithms": ["ridge", "dummy"], "folds": 3},
    )
    job = run(job)
    assert job.version is not None
    assert job.version.algorithm == "ridge"
    assert job.version.classes is None
    assert job.version.metrics["r2"] > 0.3


@pytest.mark.any_database
def test_rows_without_a_target_are_left_out() -> None:
    frame = table()
    frame.loc[frame.index[:40], "diagnosis"] = None
    job = run(create_job(model=make_model(), dataset=make_dataset(frame=frame), by=SYSTEM, config=QUICK))
    assert job.state == JobState.SUCCEEDED
    assert job.log.filter(message__startswith="40 rows without a target").exists()


def test_unusable_data_fails_with_a_sentence_and_no_version() -> None:
    frame = table().head(40).assign(diagnosis=["benign"] * 39 + ["malignant"])
    job = create_job(model=make_model(), dataset=make_dataset(frame=frame), by=SYSTEM, config=QUICK)
    job = run(job)
    assert (job.state, job.error_code) == (JobState.FAILED, "unusable_target")
    assert "needs at least 2 rows" in job.error
    assert not ModelVersion.objects.exists()


def test_a_changed_file_fails_the_job(make_job: MakeJob) -> None:
    job = make_job()
    Dataset.objects.filter(pk=job.dataset_id).update(content_hash="0" * 64)
    job = run(job)
    assert (job.state, job.error_code) == (JobState.FAILED, "dataset_corrupt")


def test_a_bug_ends_the_job_with_its_traceback_and_is_raised_on(make_job: MakeJob) -> None:
    job = make_job()
    config = {**job.config, "algorithms": [{"key": None}]}
    TrainingJob.objects.filter(pk=job.pk).update(config=config)
    with pytest.raises(KeyError):
        run(job)
    job = find_job(job.pk)
    assert (job.state, job.error_code) == (JobState.ERRORED, "internal_error")
    assert "KeyError" in job.traceback


class Interruption:
    """Does something to the job when its first fold is reported."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, job: TrainingJob, what: str) -> None:
        self.job, self.what, self.done = job, what, False
        report = JobReporter.add_fold

        def add_fold(reporter: JobReporter, *args: object) -> None:
            report(reporter, *args)  # type: ignore[arg-type]  # passed on as they came
            if not self.done:
                self.done = True
                self.interrupt()

        monkeypatch.setattr(JobReporter, "add_fold", add_fold)

    def interrupt(self) -> None:
        if self.what == "cancel":
            request_cancel(job=self.job, by=SYSTEM)
        else:
            TrainingJob.objects.filter(pk=self.job.pk).update(state=JobState.QUEUED, claim_token=None)


def test_a_cancel_stops_between_folds_and_leaves_no_version(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(folds=5)
    Interruption(monkeypatch, job, "cancel")
    job = run(job)
    assert job.state == JobState.CANCELLED
    assert len(job.trials.get().fold_scores) == 1
    assert not ModelVersion.objects.exists()


def test_a_worker_that_lost_its_claim_stops_and_writes_nothing(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(folds=5)
    Interruption(monkeypatch, job, "lose")
    job = run(job)
    assert job.state == JobState.QUEUED
    assert not ModelVersion.objects.exists()


def test_a_result_that_comes_after_the_claim_was_lost_is_dropped(make_job: MakeJob) -> None:
    job = make_job()
    zombie = claim(job_id=job.pk)
    assert zombie is not None
    TrainingJob.objects.filter(pk=job.pk).update(state=JobState.QUEUED, claim_token=None)
    successor = claim(job_id=job.pk)
    execution.run(claim=zombie)
    assert not ModelVersion.objects.exists()
    assert isinstance(successor, Claim)
    execution.run(claim=successor)
    assert ModelVersion.objects.count() == 1


def test_time_is_limited(make_job: MakeJob, settings: object) -> None:
    settings.TRAINING_TIMEOUT_MINUTES = 0  # type: ignore[attr-defined]  # pytest-django's wrapper
    job = run(make_job())
    assert (job.state, job.error_code) == (JobState.FAILED, "timeout")
    assert "ML_TRAINING_TIMEOUT_MINUTES" in job.error


def test_the_scored_problem_is_the_models_own(trained: TrainingJob) -> None:
    with tenant_transaction():
        assert {trial.metric for trial in trained.trials.all()} == {
            get_problem(trained.model.problem_type).primary_metric
        }
