"""What the doctor says of an installation that is truly broken."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from mlplatform.celery import app
from mlplatform.doctor import background, database, files, packages
from mlplatform.models import Heartbeat


@pytest.fixture
def unreachable_broker() -> Iterator[None]:
    """A broker's address at which nothing listens."""
    names = ("broker_write_url", "broker_read_url")
    before = {name: getattr(app.conf, name) for name in names}
    app.conf.update(dict.fromkeys(names, "amqp://guest@127.0.0.1:1//"))
    yield
    app.conf.update(before)


def test_a_broker_that_does_not_answer_is_told_with_its_setting(unreachable_broker: None) -> None:
    finding = background.broker_answers()
    assert not finding.good
    assert "CELERY_BROKER_URL" in finding.mend


def test_the_broker_of_this_installation_answers() -> None:
    assert background.broker_answers().good


def test_a_scheduler_that_never_ran_is_told_to_start(db: None) -> None:
    finding = background.scheduler_beats()
    assert (finding.good, finding.seen) == (False, "no heartbeat yet")
    assert "python manage.py serve" in finding.mend


def test_a_scheduler_that_stopped_is_told_with_its_age(db: None) -> None:
    Heartbeat.objects.create(name="beat", at=timezone.now() - background.HEARTBEAT_LIMIT * 2)
    finding = background.scheduler_beats()
    assert "360 s ago" in finding.seen
    assert "beat.log" in finding.mend


def test_a_nearly_full_disk_is_told(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(files, "LOW_DISK_BYTES", 10**18)
    finding = files.data_folder()
    assert not finding.good
    assert "GB free" in finding.seen
    assert "Free at least 1 GB" in finding.mend


def test_a_python_that_is_too_old_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert packages.python_version().good
    monkeypatch.setattr(packages, "OLDEST_PYTHON", (9, 0))
    assert "Install Python" in packages.python_version().mend


def test_many_differing_packages_are_summed_up(settings: Settings, tmp_path: Path) -> None:
    pins = "".join(f"no-such-package-{number}==1.0 \\\n" for number in range(8))
    (tmp_path / "requirements.lock").write_text(pins)
    settings.BASE_DIR = tmp_path
    finding = packages.locked_versions()
    assert finding.seen.count("is not installed") == 5
    assert finding.seen.endswith("and 3 more")


def test_a_look_at_the_storage_leaves_what_is_there(db: None) -> None:
    assert files.storage_round_trip().good
    assert files.storage_round_trip().good
    assert default_storage.listdir("doctor")[1] == []


def test_a_database_that_answers_is_named_by_its_kind(db: None) -> None:
    finding = database.database_answers()
    assert (finding.good, finding.seen) == (True, f"{connection.vendor} answers")
