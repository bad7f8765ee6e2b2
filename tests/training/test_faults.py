"""Faults of docs/faults.md, with the real thing: brokers that are away, full disks, cut connections."""

import errno
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from kombu.pools import reset as reset_pools

from mlplatform.celery import app
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry import storage
from registry.errors import ArtifactCorrupt
from registry.models import Dataset, ModelVersion
from registry.services.champions import champion_of
from registry.services.loading import CACHE
from registry.services.orphans import sweep_files
from registry.services.promotion import promote
from registry.services.serving import predict
from tests.conftest import ApiFor
from tests.factories import make_champion, make_dataset, make_model, make_version, rows_of, table
from tests.training.conftest import QUICK, MakeJob
from tests.training.services.test_execution_failures import run as run_here
from training.models import JobState, TrainingJob
from training.services.jobs import find_job
from training.tasks import sweep_jobs

Capture = Callable[..., Any]
FULL = "/dev/full"  # every write to it ends with ENOSPC, as on a full disk


@pytest.fixture(params=["nothing listens", "the folder cannot be written"])
def no_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """A broker that takes no message: no server, or a folder that is none."""
    names = ("broker_write_url", "broker_read_url", "broker_transport_options")
    before = {name: getattr(app.conf, name) for name in names}
    (tmp_path / "broker").touch()
    away = {
        "nothing listens": ("redis://127.0.0.1:1/0", {}),
        "the folder cannot be written": (
            "filesystem://localhost",
            {f"data_folder_{way}": str(tmp_path / "broker") for way in ("in", "out")}
            | {"control_folder": str(tmp_path / "broker" / "control")},
        ),
    }
    url, options = away[request.param]
    use_broker(broker_write_url=url, broker_read_url=url, broker_transport_options=options)
    yield
    use_broker(**before)


def use_broker(**conf: Any) -> None:
    app.conf.update(conf)
    app.pool.force_close_all()  # type: ignore[attr-defined]
    # Celery keeps its pools once they are made, and has no public way to let go of them.
    app._pool = None  # type: ignore[attr-defined]
    app.amqp._producer_pool = None  # type: ignore[attr-defined]
    reset_pools()


def test_fault_05_without_a_broker_a_job_is_taken_and_waits(
    tenant: Tenant,
    api_for: ApiFor,
    no_broker: None,
    django_capture_on_commit_callbacks: Capture,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with tenant_scope(tenant):
        model, dataset = make_model(), make_dataset()
    began = time.monotonic()
    with django_capture_on_commit_callbacks(execute=True):
        answer = api_for(tenant).post(
            "/api/v1/jobs", {"model": model.name, "dataset": dataset.pk} | QUICK, format="json"
        )
    assert time.monotonic() - began < 15
    assert answer.status_code in {201, 202}, answer.content
    assert any("run_job" in line or "on_commit" in line for line in caplog.text.splitlines()), caplog.text
    job = find_in(tenant, answer.json()["id"])
    assert (job.state, job.attempt) == (JobState.QUEUED, 0)


def find_in(tenant: Tenant, pk: int) -> TrainingJob:
    with tenant_scope(tenant):
        return find_job(pk)


@pytest.mark.usefixtures("worker_at_once")
def test_fault_05_the_sweep_sends_what_no_broker_took(
    make_job: MakeJob, django_capture_on_commit_callbacks: Capture
) -> None:
    job = make_job()
    TrainingJob.objects.filter(pk=job.pk).update(created_at=timezone.now() - timedelta(minutes=1))
    with django_capture_on_commit_callbacks(execute=True):
        assert sweep_jobs() == 1
    assert find_job(job.pk).state == JobState.SUCCEEDED


@pytest.fixture
def full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A storage on which nothing more fits: what is written to it goes to a device that is full."""

    def on_the_full_device(**given: Any) -> tuple[int, str]:
        return os.open(FULL, os.O_WRONLY), str(tmp_path / "unfinished")

    with monkeypatch.context() as patched:
        patched.setattr(tempfile, "mkstemp", on_the_full_device)
        yield


def test_fault_10_a_full_disk_fails_the_job_with_a_sentence_and_the_old_version_answers(
    make_job: MakeJob, request: pytest.FixtureRequest
) -> None:
    champion = make_champion()
    job = make_job(champion.model)
    request.getfixturevalue("full_disk")
    ended = run_here(job)
    assert (ended.state, ended.error_code, ended.version) == (JobState.FAILED, "storage_unavailable", None)
    assert os.strerror(errno.ENOSPC) in ended.error
    assert "Free space" in ended.error
    assert ModelVersion.objects.get() == champion
    CACHE.clear()
    answered = predict(model=champion.model, rows=rows_of(champion), entity_keys=[""], by=SYSTEM)
    assert answered.version == champion.number


def test_fault_10_once_there_is_space_the_same_job_succeeds_without_hands(
    make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job()
    with monkeypatch.context() as patched:
        patched.setattr(tempfile, "mkstemp", lambda **_: (os.open(FULL, os.O_WRONLY), str(tmp_path / "x")))
        failed = run_here(job)
    assert failed.state == JobState.FAILED
    assert run_here(make_job(failed.model)).state == JobState.SUCCEEDED


def test_fault_10_an_upload_to_a_full_disk_is_refused_as_unavailable(
    tenant: Tenant, api_for: ApiFor, full_disk: None
) -> None:
    with tempfile.TemporaryFile() as file:
        table().head(120).to_csv(file, index=False)
        file.seek(0)
        answer = api_for(tenant).post("/api/v1/datasets", {"file": file, "name": "rows"}, format="multipart")
    assert answer.status_code == 503, answer.content
    assert answer.json()["code"] == "storage_unavailable"
    with tenant_scope(tenant):
        assert not Dataset.objects.exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_fault_10_a_full_disk_under_a_librarys_feet_is_told_as_such(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    error = OSError(number, os.strerror(number))
    monkeypatch.setattr("training.services.execution.take_fresh_data", raising(error))
    ended = run_here(make_job())
    assert (ended.state, ended.error_code) == (JobState.FAILED, "storage_unavailable")
    assert os.strerror(number) in ended.error
    assert ended.traceback == ""


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise error

    return fail


def test_fault_10_another_error_of_the_system_is_still_a_bug(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.services.execution.take_fresh_data", raising(OSError(errno.EBADF, "bad")))
    job = make_job()
    with pytest.raises(OSError, match="bad"):
        run_here(job)
    assert find_job(job.pk).state == JobState.ERRORED


def test_fault_11_a_kill_between_file_and_row_leaves_a_file_that_is_swept_and_no_row(
    in_tenant: Tenant,
) -> None:
    kept, left = make_version(), f"artifacts/{in_tenant.pk}/ff/left"
    child = os.fork()
    if child == 0:  # writes its file and is gone before its row: as a power cut would have it
        storage.write_once(left, b"half a version")
        os.kill(os.getpid(), signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert default_storage.exists(left)
    done = sweep_files(now=timezone.now() + timedelta(hours=25), by=SYSTEM)
    assert done.deleted == [left]
    assert default_storage.exists(kept.artifact_file)


def test_fault_12_a_damaged_champion_is_refused_and_another_version_can_take_over(in_tenant: Tenant) -> None:
    champion = make_champion()
    other = make_version(champion.model, dataset=make_dataset(frame=table().head(300)))
    path = Path(default_storage.path(champion.artifact_file))
    path.write_bytes(path.read_bytes()[:-7])
    CACHE.clear()
    with pytest.raises(ArtifactCorrupt):
        predict(model=champion.model, rows=rows_of(champion), entity_keys=[""], by=SYSTEM)
    promote(model=champion.model, version=other, by=SYSTEM, reason="the file is damaged", override=True)
    answered = predict(model=champion.model, rows=rows_of(other), entity_keys=[""], by=SYSTEM)
    assert (answered.version, champion_of(champion.model)) == (other.number, other)
