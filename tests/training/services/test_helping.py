"""Workers that share a search: the same result, no trial twice or lost, and never more than may run."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from mlplatform.celery import app
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.usage import measured
from tests.factories import make_dataset, make_model, table
from tests.training.conftest import QUICK, MakeJob
from training.automl.trials import TrialSpec
from training.errors import InvalidConfig
from training.models import JobState, SearchHelper, TrainingJob, Trial
from training.models.trial import TrialState
from training.services import execution
from training.services.claims import Claim, ClaimLost, claim, finish
from training.services.helpers import (
    HelpClaim,
    beat_help,
    close_search,
    free_places,
    join,
    leave,
    look_help,
    open_search,
    release_lost,
    searches_to_help,
)
from training.services.helping import help_out, seconds_left
from training.services.jobs import create_job, find_job, request_cancel
from training.services.reporting import HelperReporter
from training.services.sweeping import give_back, sweep
from training.services.turns import somebody_waits
from training.tasks import help_search, sweep_jobs

pytestmark = pytest.mark.usefixtures("in_tenant")
ONCE = pytest.mark.any_database
SHARED: dict[str, Any] = {
    "algorithms": ["logistic_regression", "naive_bayes"],
    "search": {"method": "random", "trials": 5},
    "workers": 3,
}


def started(job: TrainingJob, places: int = 2) -> Claim:
    """Claim the job and open its search, as its own worker does."""
    taken = claim(job_id=job.pk)
    assert taken is not None
    open_search(claim=taken, places=places)
    return taken


def helper_of(job: TrainingJob) -> HelpClaim:
    found = join(job_id=job.pk)
    assert found is not None
    return found


def lose(helper: HelpClaim) -> None:
    """Let the helper's last sign of life be long ago."""
    long_ago = timezone.now() - timedelta(hours=1)
    SearchHelper.objects.filter(pk=helper.helper_id).update(heartbeat_at=long_ago)


def begun(helper: HelpClaim, place: int = 0) -> Trial:
    """Let the helper begin a trial."""
    return HelperReporter(helper, "f1").start_trial(TrialSpec("naive_bayes"), 1.0, place)


@pytest.fixture
def job(make_job: MakeJob, tenant: Tenant) -> TrainingJob:
    """A job whose search three workers may share."""
    tenant.running_jobs = 10
    tenant.save()
    return make_job(**SHARED)


class TestTheSameResult:
    """What helpers make is what the job's own worker would have made."""

    @pytest.mark.parametrize(
        "config",
        [
            {"search": {"method": "random", "trials": 8}},
            pytest.param({"search": {"method": "grid", "trials": 6}}, marks=ONCE),
            pytest.param({"search": {"method": "halving", "trials": 16}}, marks=ONCE),
            pytest.param({"search": None}, marks=ONCE),
            pytest.param(
                {
                    "search": {"method": "random", "trials": 8},
                    "calibrate": "sigmoid",
                    "threshold": {"metric": "f1"},
                },
                marks=ONCE,
            ),
        ],
        ids=["random", "grid", "halving", "list", "threshold"],
    )
    def test_a_helpers_trials_are_those_of_one_worker(
        self, make_job: MakeJob, config: dict[str, Any]
    ) -> None:
        config = SHARED | config
        alone = make_job(**config | {"workers": 1})
        taken = claim(job_id=alone.pk)
        assert taken is not None
        execution.run(claim=taken)
        shared = make_job(find_job(alone.pk).model, **config)
        taken = started(shared)
        help_out(claim=helper_of(shared))
        execution.run(claim=taken)
        one, many = find_job(alone.pk), find_job(shared.pk)
        assert (many.state, many.error) == (JobState.SUCCEEDED, "")
        assert set(many.trials.values_list("worker", flat=True)) == {2}
        told = ["number", "algorithm", "params", "state", "share", "mean", "std", "fold_scores", "seen"]
        pairs = zip(one.trials.order_by("number"), many.trials.order_by("number"), strict=True)
        for first, second in pairs:
            assert [getattr(first, name) for name in told] == [getattr(second, name) for name in told]
        assert one.version is not None
        assert many.version is not None
        assert many.version.metrics == one.version.metrics
        assert many.version.conformal == one.version.conformal

    @pytest.mark.any_database
    def test_tpe_is_shared_too(self, job: TrainingJob) -> None:
        TrainingJob.objects.filter(pk=job.pk).update(
            config=job.config | {"search": {"method": "tpe", "trials": 5}}
        )
        taken = started(job)
        help_out(claim=helper_of(job))
        execution.run(claim=taken)
        assert find_job(job.pk).state == JobState.SUCCEEDED
        assert job.trials.count() == 5

    @pytest.mark.any_database
    def test_the_winner_of_a_helper_is_evaluated_like_any_other(self, job: TrainingJob) -> None:
        taken = started(job)
        help_out(claim=helper_of(job))
        execution.run(claim=taken)
        version = find_job(job.pk).version
        assert version is not None
        assert version.conformal
        assert job.log.filter(message__contains="Worker 2 helps").exists()

    def test_the_owner_goes_on_where_a_helper_stopped(self, job: TrainingJob) -> None:
        taken = started(job)
        helper = helper_of(job)
        trial = begun(helper)
        leave(claim=helper)
        trial.refresh_from_db()
        assert (trial.state, trial.losses) == (TrialState.WAITING, 0)
        execution.run(claim=taken)
        trial.refresh_from_db()
        assert (trial.state, trial.worker) == (TrialState.COMPLETE, 1)
        assert job.trials.count() == 5


class TestPlaces:
    """Who may help, and when."""

    def test_as_many_help_as_the_job_asked_for(self, job: TrainingJob) -> None:
        started(job)
        numbers = [helper_of(job).number, helper_of(job).number]
        assert numbers == [2, 3]
        assert join(job_id=job.pk) is None
        assert free_places(job) == 0

    def test_a_number_is_not_given_twice(self, job: TrainingJob) -> None:
        started(job)
        leave(claim=helper_of(job))
        assert helper_of(job).number == 3

    def test_nobody_helps_before_the_search_begins(self, job: TrainingJob) -> None:
        assert join(job_id=job.pk) is None
        claim(job_id=job.pk)
        assert join(job_id=job.pk) is None
        assert searches_to_help() == []

    def test_nobody_helps_once_the_search_is_over(self, job: TrainingJob) -> None:
        taken = started(job)
        helper = helper_of(job)
        close_search(claim=taken)
        assert join(job_id=job.pk) is None
        assert not look_help(claim=helper).held

    def test_a_job_that_wants_no_help_gets_none(self, make_job: MakeJob) -> None:
        alone = make_job()
        started(alone)
        assert join(job_id=alone.pk) is None
        assert searches_to_help() == []

    def test_a_helper_counts_as_a_running_job(self, job: TrainingJob, tenant: Tenant) -> None:
        tenant.running_jobs = 2
        tenant.save()
        started(job)
        assert measured("running_jobs") == 1
        helper = helper_of(job)
        assert measured("running_jobs") == 2
        assert join(job_id=job.pk) is None
        assert searches_to_help() == []
        leave(claim=helper)
        assert measured("running_jobs") == 1
        assert searches_to_help() == [job]

    def test_a_waiting_job_comes_before_help(self, job: TrainingJob) -> None:
        started(job)
        create_job(model=make_model("next"), dataset=make_dataset(), by=SYSTEM, config=QUICK)
        assert join(job_id=job.pk) is None

    def test_a_helper_makes_room_for_a_job_that_waits(self, job: TrainingJob, tenant: Tenant) -> None:
        tenant.running_jobs = 2
        tenant.save()
        started(job)
        helper = helper_of(job)
        assert not somebody_waits(beside=tenant)
        create_job(model=make_model("next"), dataset=make_dataset(), by=SYSTEM, config=QUICK)
        assert somebody_waits(beside=tenant)
        help_out(claim=helper)
        assert not job.trials.exists()
        assert measured("running_jobs") == 1

    def test_a_helper_makes_room_for_another_tenants_job(
        self, job: TrainingJob, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        started(job)
        helper = helper_of(job)
        with tenant_scope(other_tenant):
            create_job(model=make_model(), dataset=make_dataset(), by=SYSTEM, config=QUICK)
        assert somebody_waits(beside=tenant)
        help_out(claim=helper)
        assert not job.trials.exists()

    def test_a_job_of_another_tenant_is_not_there(self, job: TrainingJob, other_tenant: Tenant) -> None:
        started(job)
        with tenant_scope(other_tenant):
            assert join(job_id=job.pk) is None
            assert searches_to_help() == []
            assert not SearchHelper.objects.exists()

    def test_a_message_for_another_tenants_job_does_nothing(
        self, job: TrainingJob, other_tenant: Tenant
    ) -> None:
        started(job)
        help_search(job.pk, tenant_id=other_tenant.pk)
        assert not job.trials.exists()


class TestLoss:
    """Helpers die, and so do jobs: nothing is lost, and nothing is written twice."""

    def test_a_lost_helpers_trial_is_made_by_another(self, job: TrainingJob) -> None:
        taken = started(job)
        helper = helper_of(job)
        trial = begun(helper)
        assert release_lost(job_id=job.pk, now=timezone.now()) == 0
        lose(helper)
        assert release_lost(job_id=job.pk, now=timezone.now()) == 1
        trial.refresh_from_db()
        assert (trial.state, trial.losses, trial.claim_token) == (TrialState.WAITING, 1, None)
        execution.run(claim=taken)
        trial.refresh_from_db()
        assert (trial.state, trial.worker) == (TrialState.COMPLETE, 1)
        assert job.log.filter(message="Worker 2 helps no more. It was lost.").exists()

    def test_the_owner_waits_for_a_lost_helpers_trial_no_longer_than_its_lease(
        self, job: TrainingJob
    ) -> None:
        taken = started(job)
        helper = helper_of(job)
        begun(helper)
        lose(helper)
        execution.run(claim=taken)
        assert find_job(job.pk).state == JobState.SUCCEEDED
        assert set(job.trials.values_list("state", flat=True)) == {TrialState.COMPLETE}

    def test_a_trial_that_takes_its_workers_with_it_is_given_up_as_failed(self, job: TrainingJob) -> None:
        taken = started(job)
        first = helper_of(job)
        trial = begun(first)
        leave(claim=first, lost="It died.")
        second = helper_of(job)
        trial.refresh_from_db()
        assert HelperReporter(second, "f1").take_trial(trial)
        leave(claim=second, lost="It died.")
        trial.refresh_from_db()
        assert (trial.state, trial.losses) == (TrialState.FAILED, 2)
        assert "2 workers were lost with it" in trial.error
        execution.run(claim=taken)
        assert find_job(job.pk).state == JobState.SUCCEEDED

    def test_a_helper_that_wakes_too_late_writes_nothing(self, job: TrainingJob) -> None:
        started(job)
        helper = helper_of(job)
        trial = begun(helper)
        lose(helper)
        release_lost(job_id=job.pk, now=timezone.now())
        assert HelperReporter(helper_of(job), "f1").take_trial(trial)
        late = HelperReporter(helper, "f1")
        with pytest.raises(ClaimLost):
            late.add_fold(Trial.objects.get(pk=trial.pk), {"f1": 1.0})
        with pytest.raises(ClaimLost):
            late.start_trial(TrialSpec("naive_bayes"), 1.0, 1)
        with pytest.raises(ClaimLost):
            late.log("I am back.")
        assert Trial.objects.get(pk=trial.pk).fold_scores == []

    def test_of_two_workers_one_takes_a_trial_that_waits(self, job: TrainingJob) -> None:
        started(job)
        first = helper_of(job)
        trial = begun(first)
        leave(claim=first)
        one, other = helper_of(job), helper_of(job)
        assert HelperReporter(one, "f1").take_trial(trial)
        assert not HelperReporter(other, "f1").take_trial(trial)

    def test_a_helper_of_a_job_that_lost_its_worker_leaves(self, job: TrainingJob) -> None:
        started(job)
        helper = helper_of(job)
        trial = begun(helper)
        assert give_back(find_job(job.pk), timezone.now(), "The worker was lost.")
        assert not beat_help(claim=helper).held
        help_out(claim=helper)
        trial.refresh_from_db()
        assert trial.state == TrialState.STOPPED
        again = started(job)
        assert not Trial.objects.filter(job=job).exists()
        assert not beat_help(claim=helper).held
        with pytest.raises(ClaimLost):
            begun(helper)
        execution.run(claim=again)
        assert find_job(job.pk).attempt == 2

    def test_the_sweep_finds_a_lost_helper(self, job: TrainingJob) -> None:
        started(job)
        helper = helper_of(job)
        trial = begun(helper)
        lose(helper)
        sweep(timezone.now())
        trial.refresh_from_db()
        assert trial.state == TrialState.WAITING
        assert measured("running_jobs") == 1


class TestTheEnd:
    """Cancelled, ended, out of time: helpers go."""

    def test_a_cancelled_job_sends_its_helpers_away(self, job: TrainingJob) -> None:
        taken = started(job)
        helper = helper_of(job)
        request_cancel(job=job, by=SYSTEM)
        assert look_help(claim=helper).cancel
        assert join(job_id=job.pk) is None
        help_out(claim=helper)
        assert not job.trials.exists()
        assert finish(claim=taken, state=JobState.CANCELLED)
        assert not SearchHelper.objects.filter(ended_at=None).exists()

    def test_the_end_of_a_job_stops_what_its_helpers_try(self, job: TrainingJob) -> None:
        taken = started(job)
        trial = begun(helper_of(job))
        finish(claim=taken, state=JobState.FAILED)
        trial.refresh_from_db()
        assert trial.state == TrialState.STOPPED
        assert measured("running_jobs") == 0

    def test_a_helper_has_the_time_that_its_job_has_left(self, job: TrainingJob, settings: Settings) -> None:
        settings.TRAINING_TIMEOUT_MINUTES = 10
        started(job)
        now = timezone.now()
        TrainingJob.objects.filter(pk=job.pk).update(started_at=now - timedelta(minutes=4))
        assert seconds_left(find_job(job.pk), now) == 360
        TrainingJob.objects.filter(pk=job.pk).update(started_at=now - timedelta(minutes=40))
        assert seconds_left(find_job(job.pk), now) == 0

    def test_a_helper_whose_time_is_up_leaves_its_trial_to_the_owner(self, job: TrainingJob) -> None:
        started(job)
        helper = helper_of(job)
        TrainingJob.objects.filter(pk=job.pk).update(started_at=timezone.now() - timedelta(days=1))
        help_out(claim=helper)
        assert find_job(job.pk).state == JobState.RUNNING
        assert not SearchHelper.objects.filter(ended_at=None).exists()


class TestMessages:
    """Helpers are called by messages, which may be lost or come too late."""

    def test_the_task_helps(self, job: TrainingJob, tenant: Tenant) -> None:
        started(job)
        help_search(job.pk, tenant_id=tenant.pk)
        assert set(job.trials.values_list("worker", "state")) == {(2, TrialState.COMPLETE)}
        assert app.amqp.router.route({}, "training.help_search")["queue"].name == "training"

    def test_a_message_that_comes_too_late_does_nothing(self, job: TrainingJob, tenant: Tenant) -> None:
        taken = started(job)
        finish(claim=taken, state=JobState.FAILED)
        help_search(job.pk, tenant_id=tenant.pk)
        assert not job.trials.exists()

    def test_opening_a_search_calls_as_many_as_may_help(
        self, job: TrainingJob, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
    ) -> None:
        sent: list[Any] = []
        monkeypatch.setattr(app, "send_task", lambda name, **options: sent.append((name, options)))
        with django_capture_on_commit_callbacks(execute=True):
            started(job)
        assert [name for name, _ in sent] == ["training.help_search"] * 2
        assert all(options["kwargs"] == {"tenant_id": job.tenant_id} for _, options in sent)

    def test_the_sweep_calls_helpers_again(
        self, job: TrainingJob, django_capture_on_commit_callbacks: Any, worker_at_once: None
    ) -> None:
        started(job)
        with django_capture_on_commit_callbacks(execute=True):
            sweep_jobs()
        assert job.trials.filter(worker=2).count() == 5


class TestDoors:
    """How many workers a job asks for."""

    @pytest.mark.parametrize("workers", [0, 5, True, "2", None])
    def test_the_number_is_bounded(self, make_job: MakeJob, settings: Settings, workers: Any) -> None:
        settings.TRAINING_MAX_WORKERS = 4
        with pytest.raises(InvalidConfig, match="workers must be a whole number from 1 to 4"):
            make_job(workers=workers)

    def test_automl_is_for_one_worker(self) -> None:
        with pytest.raises(InvalidConfig, match="AutoML is the work of one worker") as refused:
            create_job(
                model=make_model(),
                dataset=make_dataset(frame=table()),
                by=SYSTEM,
                config={"automl": {}, "workers": 2},
            )
        assert "workers" in (refused.value.fields or {})
