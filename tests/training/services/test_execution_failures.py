"""What a job says when training cannot work, with algorithms that fail in every way there is."""

from typing import Any

import pytest
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier

from mlplatform.tenancy.actors import SYSTEM
from registry.errors import InvalidMarks
from registry.services.datasets import freeze
from registry.services.personal import mark_dataset
from registry.tabular.schema import Treatment
from tests.factories import make_model, table
from tests.training.conftest import MakeJob
from training.algorithms import ALGORITHMS
from training.algorithms.base import BOTH, Algorithm, Params, Traits
from training.errors import TrainingBroke
from training.models import JobState, TrainingJob
from training.services import execution
from training.services.claims import claim
from training.services.jobs import create_job, find_job

pytestmark = pytest.mark.usefixtures("in_tenant")


class NoParams(Params, frozen=True):
    """None."""


class Failing(DummyClassifier):
    """Raises when it is fitted."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.error = error

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> BaseEstimator:
        """Raise the error."""
        raise self.error or RuntimeError


def plug_in(monkeypatch: pytest.MonkeyPatch, key: str, error: Exception) -> None:
    """Add an algorithm that fails with this error to the table."""

    def build(params: NoParams, seed: int, problem: str) -> BaseEstimator:
        return Failing(error)

    algorithm = Algorithm(key, key.title(), BOTH, NoParams, build, Traits(), "")
    monkeypatch.setitem(ALGORITHMS, key, algorithm)


def run(job: TrainingJob) -> TrainingJob:
    taken = claim(job_id=job.pk)
    assert taken is not None
    execution.run(claim=taken)
    return find_job(job.pk)


def test_an_algorithm_that_cannot_take_the_data_is_unranked_and_the_others_go_on(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in(monkeypatch, "picky", ValueError("I want nine columns"))
    job = run(make_job(algorithms=["picky", "dummy"]))
    assert job.state == JobState.SUCCEEDED
    best, failed = job.ranked_trials
    assert (best.algorithm, best.rank, failed.algorithm, failed.rank) == ("dummy", 1, "picky", None)
    assert "I want nine columns" in failed.error
    assert job.log.filter(level="warning", message__contains="picky could not be fitted").exists()


def test_where_none_can_be_fitted_the_job_fails_with_every_reason(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in(monkeypatch, "picky", ValueError("nine columns"))
    plug_in(monkeypatch, "moody", ValueError("not today"))
    job = run(make_job(algorithms=["picky", "moody"]))
    assert (job.state, job.error_code, job.version) == (JobState.FAILED, "nothing_fitted", None)
    assert "nine columns" in job.error
    assert "not today" in job.error
    assert job.traceback == ""


def test_memory_that_runs_out_is_told_with_a_way_out(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in(monkeypatch, "hungry", MemoryError())
    job = run(make_job(algorithms=["hungry"]))
    assert (job.state, job.error_code) == (JobState.FAILED, "nothing_fitted")
    assert "more memory than there is. Use fewer rows" in job.error
    assert job.log.filter(level="error").get().message == job.error


def test_a_bug_in_an_algorithm_is_raised_on_and_kept_for_whoever_mends_it(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in(monkeypatch, "broken", RecursionError("round and round"))
    job = make_job(algorithms=["broken"])
    with pytest.raises(RecursionError):
        run(job)
    job = find_job(job.pk)
    assert (job.state, job.error_code) == (JobState.ERRORED, "internal_error")
    assert "round and round" in job.traceback


def test_a_job_that_ended_has_all_its_folds_and_times(make_job: MakeJob) -> None:
    job = run(make_job(algorithms=["dummy"], folds=3))
    assert [len(trial.fold_scores) for trial in job.trials.all()] == [3]
    assert (job.progress, job.stage, job.heartbeat_at is not None) == (100, "", True)
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.started_at <= job.finished_at


def test_of_personal_data_no_error_is_quoted(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plug_in(monkeypatch, "picky", ValueError("could not convert 'Alice'"))
    plug_in(monkeypatch, "broken", RuntimeError("what is 'Alice'?"))
    job = make_job(algorithms=["picky", "broken"])
    mark_dataset(dataset=job.dataset, changes={"mean_radius": "drop"}, by=SYSTEM)
    with pytest.raises(TrainingBroke) as raised:
        run(job)
    ended = find_job(job.pk)
    assert ended.state == JobState.ERRORED
    assert ended.error == "RuntimeError. Its text is left out: the data has personal columns."
    assert "test_execution_failures.py" in ended.traceback
    told = f"{ended.error}{ended.traceback}{raised.value}{raised.value.__cause__}{caplog.text}"
    told += "".join(ended.log.values_list("message", flat=True))
    told += "".join(ended.trials.values_list("error", flat=True))
    assert "ValueError" in told
    assert "Alice" not in told


def test_a_personal_target_is_refused(in_tenant: object) -> None:
    marks = {"diagnosis": Treatment.pseudonymise}
    frozen, _ = freeze(name="p", frame=table(), by=SYSTEM, origin={"kind": "test"}, personal=marks)
    with pytest.raises(InvalidMarks, match="is what the model predicts"):
        create_job(model=make_model(), dataset=frozen, by=SYSTEM)
