"""Jobs in a process of their own: stopped at once, held to their limits, and alone when they die."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from django.db import connection
from pytest_django import Settings

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.models import ModelVersion
from tests.factories import make_dataset, make_model
from tests.plugins.application_role import ROLES
from tests.training.conftest import QUICK
from tests.training.troubles.trainer import TROUBLES, add
from training.algorithms import ALGORITHMS
from training.models import JobState, TrainingJob
from training.models.trial import TrialState
from training.services import trainers
from training.services.claims import claim
from training.services.closing import close_down, open_again
from training.services.jobs import create_job, find_job, request_cancel
from training.services.supervision import supervise
from training.tasks import run_job

pytestmark = pytest.mark.django_db(transaction=True)
Train = Callable[..., TrainingJob]


def database_url() -> str:
    """Return the address of the test's database, with the role that the tests work as."""
    stated = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{stated['NAME']}"
    role = quote(f"-c role={ROLES.application}")
    return f"postgresql://{stated['USER']}@{stated['HOST']}:{stated['PORT']}/{stated['NAME']}?options={role}"


@pytest.fixture(scope="module", autouse=True)
def _warm_for_all_tests() -> Iterator[None]:
    """Keep the trainer for all tests of this file, and end it with them."""
    yield
    trainers.shelf.clear()


@pytest.fixture
def start(
    tenant: Tenant, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., TrainingJob]]:
    """Return a maker of queued jobs that this test's trainers, and what they find, belong to."""
    command = (sys.executable, "-m", "tests.training.troubles.trainer")
    monkeypatch.setattr(trainers, "COMMAND", command)
    for name, value in {
        "DATABASE_URL": database_url(),
        "ML_DATA_DIR": str(tmp_path),
        "ML_SECRET_KEY": settings.SECRET_KEY,
        "ML_MASTER_KEYS": ",".join(settings.MASTER_KEYS),
        "ML_TRAINING_MEMORY_MB": "300",
    }.items():
        monkeypatch.setenv(name, value)
    for name in TROUBLES:
        monkeypatch.setitem(ALGORITHMS, name, ALGORITHMS["dummy"])
        add(name)
    settings.TRAINING_ISOLATED = True
    settings.TRAINING_MEMORY_MB = 300
    settings.TRAINING_HEARTBEAT_SECONDS = 1

    def make(**config: object) -> TrainingJob:
        return create_job(model=make_model(), dataset=make_dataset(), by=SYSTEM, config=QUICK | config)

    with tenant_scope(tenant):
        yield make
    trainers.shelf.clear()
    open_again()


def run(job: TrainingJob) -> TrainingJob:
    taken = claim(job_id=job.pk)
    assert taken is not None
    supervise(claim=taken)
    return find_job(job.pk)


def meanwhile(tenant: Tenant, job: TrainingJob, act: Callable[[], object]) -> threading.Thread:
    """Act from another thread once a trial of the job has begun."""

    def wait_and_act() -> None:
        with tenant_scope(tenant):
            deadline = time.monotonic() + 30
            while not job.trials.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            act()
        connection.close()

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    return thread


def test_a_job_trains_in_a_process_that_is_kept_for_the_next(start: Train) -> None:
    first = run(start())
    assert (first.state, first.error) == (JobState.SUCCEEDED, "")
    [kept] = trainers.shelf._idle
    second = run(create_job(model=first.model, dataset=first.dataset, by=SYSTEM, config=QUICK))
    assert second.state == JobState.SUCCEEDED
    assert trainers.shelf._idle == [kept]
    assert ModelVersion.objects.count() == 2


def test_a_fit_that_never_ends_is_cancelled_within_two_seconds(start: Train, tenant: Tenant) -> None:
    job = start(algorithms=["hang"])
    asked: list[float] = []

    def cancel() -> None:
        request_cancel(job=job, by=SYSTEM)
        asked.append(time.monotonic())

    thread = meanwhile(tenant, job, cancel)
    ended = run(job)
    assert time.monotonic() - asked[0] < 2
    thread.join()
    assert ended.state == JobState.CANCELLED
    assert [trial.state for trial in ended.trials.all()] == [TrialState.STOPPED]
    assert not ModelVersion.objects.exists()


def test_a_fit_that_never_ends_is_stopped_when_its_time_is_up(
    start: Train, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.TRAINING_TIMEOUT_MINUTES = 0.05
    ended = run(start(algorithms=["hang"]))
    assert (ended.state, ended.error_code) == (JobState.FAILED, "timeout")
    assert "ML_TRAINING_TIMEOUT_MINUTES" in ended.error


def test_fault_31_a_fitting_process_that_is_stopped_is_ended_when_its_time_is_up(
    start: Train, settings: Settings
) -> None:
    settings.TRAINING_TIMEOUT_MINUTES = 0.03
    began = time.monotonic()
    ended = run(start(algorithms=["freeze"]))
    assert time.monotonic() - began < 15
    assert (ended.state, ended.error_code) == (JobState.FAILED, "timeout")
    settings.TRAINING_TIMEOUT_MINUTES = 5
    after = run(create_job(model=ended.model, dataset=ended.dataset, by=SYSTEM, config=QUICK))
    assert after.state == JobState.SUCCEEDED


@pytest.mark.needs_postgres
def test_fault_08_a_job_whose_connections_to_the_database_are_cut_runs_once_more(
    start: Train, tenant: Tenant
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no connections to cut.")
    job = start(algorithms=["dawdle"])

    def cut() -> None:
        stated = connection.settings_dict
        named = {"host": stated["HOST"], "port": stated["PORT"], "user": stated["USER"]}
        with psycopg.connect(dbname=stated["NAME"], autocommit=True, **named) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        connection.close()

    thread = meanwhile(tenant, job, cut)
    given_back = run(job)
    thread.join()
    assert (given_back.state, given_back.attempt) == (JobState.QUEUED, 1)
    ended = run(job)
    assert (ended.state, ended.attempt) == (JobState.SUCCEEDED, 2)
    assert ModelVersion.objects.count() == 1


def test_a_trial_that_eats_memory_fails_alone_and_the_job_goes_on(start: Train) -> None:
    ended = run(start(algorithms=["eat", "dummy"]))
    assert ended.state == JobState.SUCCEEDED
    trial = ended.trials.get(algorithm="eat")
    assert trial.state == TrialState.FAILED
    assert "more memory" in trial.error


def test_a_job_that_eats_what_no_limit_counts_is_killed_and_the_next_one_runs(start: Train) -> None:
    ended = run(start(algorithms=["swallow"]))
    assert (ended.state, ended.error_code) == (JobState.FAILED, "out_of_memory")
    assert "more than the 300 MB of memory that a job may use" in ended.error
    after = run(create_job(model=ended.model, dataset=ended.dataset, by=SYSTEM, config=QUICK))
    assert after.state == JobState.SUCCEEDED


def test_a_process_that_dies_is_replaced_and_its_job_tried_once_more(start: Train) -> None:
    job = start(algorithms=["die"])
    again = run(job)
    assert (again.state, again.attempt) == (JobState.QUEUED, 1)
    ended = run(job)
    assert (ended.state, ended.error_code) == (JobState.FAILED, "worker_lost")
    assert "signal SIGSEGV" in ended.error
    assert not ended.trials.filter(state=TrialState.RUNNING).exists()


def test_a_worker_that_is_stopped_hands_its_job_back(start: Train, tenant: Tenant) -> None:
    job = start(algorithms=["hang"])
    thread = meanwhile(tenant, job, close_down)
    handed = run(job)
    thread.join()
    assert (handed.state, handed.attempt) == (JobState.QUEUED, 0)
    run_job(job.pk, tenant_id=tenant.pk)
    assert find_job(job.pk).state == JobState.QUEUED


def test_a_job_that_went_to_another_worker_is_stopped_here(start: Train, tenant: Tenant) -> None:
    job = start(algorithms=["hang"])

    def take_away() -> None:
        TrainingJob.objects.filter(pk=job.pk).update(state=JobState.QUEUED, claim_token=None)

    thread = meanwhile(tenant, job, take_away)
    assert run(job).state == JobState.QUEUED
    thread.join()


def test_a_trainer_whose_worker_is_gone_ends() -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        started = trainers.Trainer()
        os.write(writer, str(started.pid).encode())
        time.sleep(60)
        os._exit(0)
    pid = int(os.read(reader, 20))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    deadline = time.monotonic() + 20
    while _lives(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.close(reader)
    os.close(writer)


def _lives(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
