"""A search for parameters, from its budget to its leaderboard."""

import pytest

from mlplatform.tenancy.actors import SYSTEM
from tests.factories import make_dataset, make_model
from tests.training.conftest import MakeJob
from training.models import JobState, TrainingJob
from training.models.trial import TrialState
from training.services import execution
from training.services.claims import claim
from training.services.jobs import create_job, find_job

pytestmark = pytest.mark.usefixtures("in_tenant")


def run(job: TrainingJob) -> TrainingJob:
    taken = claim(job_id=job.pk)
    assert taken is not None
    execution.run(claim=taken)
    return find_job(job.pk)


@pytest.mark.any_database
def test_a_search_begins_with_the_defaults_and_keeps_to_its_trials(make_job: MakeJob) -> None:
    job = run(make_job(algorithms=["logistic_regression"], search={"method": "random", "trials": 4}))
    trials = list(job.trials.order_by("pk"))
    assert job.state == JobState.SUCCEEDED
    assert len(trials) == 4
    assert trials[0].params == {}
    assert len({trial.params["C"] for trial in trials[1:]}) == 3
    assert job.version is not None
    best = job.ranked_trials[0].params
    assert {**job.version.params, **best} == job.version.params
    assert "max_iter" in job.version.params  # what was left at its default is told, too
    assert job.log.filter(message="The search ends: all 4 trials were made.").exists()


@pytest.mark.any_database
def test_what_is_given_is_not_varied(make_job: MakeJob) -> None:
    fixed = {"key": "decision_tree", "params": {"max_depth": 2}}
    job = run(make_job(algorithms=[fixed], search={"method": "tpe", "trials": 3}))
    assert {trial.params["max_depth"] for trial in job.trials.all()} == {2}


@pytest.mark.any_database
def test_a_grid_ends_where_it_ends(make_job: MakeJob) -> None:
    job = run(make_job(algorithms=["naive_bayes"], search={"method": "grid", "trials": 50}))
    assert job.trials.count() == 4  # the defaults, and three values of the smoothing
    assert job.state == JobState.SUCCEEDED


def test_halving_ranks_trials_on_all_rows_only(make_job: MakeJob) -> None:
    job = run(make_job(algorithms=["decision_tree"], search={"method": "halving", "trials": 16}))
    shares = {trial.share for trial in job.trials.all()}
    assert len(shares) >= 2
    assert {trial.share for trial in job.trials.filter(rank__isnull=False)} == {1.0}


@pytest.mark.any_database
def test_clearly_worse_trials_are_given_up() -> None:
    job = create_job(
        model=make_model(data="diabetes"),
        dataset=make_dataset("diabetes"),
        by=SYSTEM,
        config={"algorithms": ["ridge"], "folds": 4, "search": {"method": "random", "trials": 16}},
    )
    job = run(job)
    given_up = job.trials.filter(state=TrialState.GIVEN_UP)
    assert given_up.exists()
    assert all(len(trial.fold_scores) < 4 and trial.rank is None for trial in given_up)
    assert job.log.filter(message__contains="given up after").exists()


@pytest.mark.any_database
def test_the_same_seed_searches_the_same(make_job: MakeJob) -> None:
    first = run(make_job(algorithms=["decision_tree"], search={"method": "tpe", "trials": 4}))
    second = run(make_job(first.model, algorithms=["decision_tree"], search={"method": "tpe", "trials": 4}))
    pairs = zip(first.trials.order_by("pk"), second.trials.order_by("pk"), strict=True)
    assert all(one.params == other.params and one.mean == other.mean for one, other in pairs)
