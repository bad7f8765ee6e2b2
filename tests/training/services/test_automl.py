"""An automatic search, from its settings to a version that answers."""

import pytest

from mlplatform.tenancy.actors import SYSTEM
from registry.inference.native import predict
from registry.models.version import VersionStatus
from registry.services.loading import load_fresh
from tests.factories import make_dataset, make_model, table
from tests.training.conftest import MakeJob
from training.automl.again import REPEATS
from training.models import JobState, TrainingJob
from training.services import execution
from training.services.claims import claim
from training.services.jobs import create_job, find_job

pytestmark = pytest.mark.usefixtures("in_tenant")


def run(job: TrainingJob) -> TrainingJob:
    taken = claim(job_id=job.pk)
    assert taken is not None
    execution.run(claim=taken)
    return find_job(job.pk)


def test_automl_ends_with_a_version_and_an_honest_leaderboard(make_job: MakeJob) -> None:
    job = run(
        make_job(
            algorithms=["naive_bayes", {"key": "random_forest", "params": {"n_estimators": 20}}, "knn"],
            automl={"seconds": 300, "metric": "log_loss", "trials": 6},
        )
    )
    assert job.state == JobState.SUCCEEDED, job.error
    first, *others = job.ranked_trials
    assert job.version is not None
    assert job.version.status == VersionStatus.READY
    assert job.version.algorithm == first.algorithm
    ranked = [trial for trial in others if trial.rank is not None]
    means = [trial.mean or 0.0 for trial in ranked if trial.algorithm != "ensemble"]
    assert means == sorted(means)  # less loss first
    assert {trial.metric for trial in job.trials.all()} == {"log_loss"}
    assert any(trial.preprocessing for trial in job.trials.all())
    assert all(trial.predict_ms and trial.size_bytes for trial in ranked)
    together = {trial.params["how"]: trial for trial in job.trials.filter(algorithm="ensemble")}
    assert set(together) == {"vote", "stack"}
    assert sum(one["weight"] for one in together["vote"].params["members"]) == pytest.approx(1)
    assert {len(trial.fold_scores) for trial in ranked} == {2 * (1 + REPEATS)}  # few rows: looked at again
    assert job.log.filter(message__contains="cross-validated again, on other folds").exists()
    assert job.log.filter(message__startswith="The winner is").exists()
    assert job.version.importance


@pytest.mark.any_database
def test_costs_of_an_answers_time_may_decide() -> None:
    job = create_job(
        model=make_model(data="diabetes"),
        dataset=make_dataset("diabetes"),
        by=SYSTEM,
        config={
            "algorithms": [{"key": "ridge"}, {"key": "random_forest", "params": {"n_estimators": 60}}],
            "folds": 2,
            "automl": {"seconds": 300, "trials": 4, "per_millisecond": 1.0},
        },
    )
    job = run(job)
    assert job.version is not None
    assert job.version.algorithm == "ridge"  # an R² is not worth a millisecond here
    assert job.log.filter(message__contains="was counted as 1 of").exists()


@pytest.mark.any_database
def test_a_threshold_and_a_preparation_reach_the_version(make_job: MakeJob) -> None:
    job = run(
        make_job(
            preprocessing={"balance": "over", "scale": "robust"},
            calibrate="sigmoid",
            threshold={"costs": {"positive": "malignant", "false_negative": 20}},
        )
    )
    assert job.state == JobState.SUCCEEDED, job.error
    trial = job.trials.get()
    assert trial.preprocessing == {"balance": "over", "scale": "robust"}
    assert job.version is not None
    pipeline = load_fresh(job.version)
    answers = predict(pipeline, table().drop(columns="diagnosis"), ["benign", "malignant"])
    assert answers.probabilities is not None
    sick = answers.probabilities[:, 1]
    threshold = pipeline.decider.threshold
    assert threshold < 0.5
    assert ((sick >= threshold) == (answers.values == "malignant")).all()


@pytest.mark.parametrize("positive", ["sick"])
def test_costs_must_name_a_class_of_the_target(make_job: MakeJob, positive: str) -> None:
    job = run(make_job(threshold={"costs": {"positive": positive}}))
    assert job.state == JobState.FAILED
    assert job.error_code == "unknown_class"
    assert "malignant" in job.error
