"""Each look at the installation, on a good and on a broken one."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from pytest_django import Settings

from mlplatform.doctor import background, database, files, packages, security
from mlplatform.doctor.checks import CHECKS, examine
from mlplatform.models import Heartbeat
from mlplatform.tenancy.checks import check_master_key
from tests.plugins.application_role import whole_database


def test_the_installed_packages_are_those_of_the_lock() -> None:
    assert packages.locked_versions().good


def test_another_version_than_the_locked_one_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text("django==1.0 \\\n    --hash=sha256:00\n")
    settings.BASE_DIR = tmp_path
    finding = packages.locked_versions()
    assert not finding.good
    assert "locked is 1.0" in finding.seen


def test_a_package_that_is_missing_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text("no-such-package==1.0 \\\n")
    settings.BASE_DIR = tmp_path
    assert packages.locked_versions().seen == "no-such-package 1.0 is not installed"


def test_packages_for_other_systems_are_not_demanded() -> None:
    lock = "a==1 ; sys_platform == 'win32' \\\nb==2 ; python_version >= '3.11' \\\n"
    assert packages.locked_pins(lock) == {"b": "2"}


def test_a_missing_lock_file_is_told(settings: Settings, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    assert "Restore requirements.lock" in packages.locked_versions().mend


def test_a_data_folder_that_is_gone_is_told(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "gone"
    assert "ML_DATA_DIR" in files.data_folder().mend


def test_a_storage_that_cannot_be_written_is_told(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    backend = "django.core.files.storage.FileSystemStorage"
    options = {"BACKEND": backend, "OPTIONS": {"location": tmp_path / "file"}}
    settings.STORAGES = {**settings.STORAGES, "default": options}
    assert not files.storage_round_trip().good


def test_the_storage_keeps_nothing_of_the_round_trip(settings: Settings) -> None:
    assert files.storage_round_trip().good
    location = Path(settings.STORAGES["default"]["OPTIONS"]["location"])
    assert [path for path in location.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("key", ["short", "a" * 80])
def test_a_weak_secret_key_is_told_and_never_shown(settings: Settings, key: str) -> None:
    settings.SECRET_KEY = key
    finding = security.secret_key()
    assert not finding.good
    assert key not in finding.seen


def test_the_place_of_the_master_key_is_told_and_the_key_never_shown(settings: Settings) -> None:
    settings.MASTER_KEY_GIVEN = False
    kept = security.master_key()
    settings.MASTER_KEY_GIVEN = True
    given = security.master_key()
    assert "ML_MASTER_KEYS" in kept.seen
    assert "environment" in given.seen
    assert not any(key in kept.seen + given.seen for key in settings.MASTER_KEYS)


def test_a_key_beside_the_data_is_a_warning_of_the_deployment_check(settings: Settings) -> None:
    settings.MASTER_KEY_GIVEN = False
    assert "tenancy.W006" in {found.id for found in check_master_key(None)}
    settings.MASTER_KEY_GIVEN = True
    assert check_master_key(None) == []


def test_a_stored_file_in_the_clear_is_found(settings: Settings) -> None:
    location = Path(settings.STORAGES["default"]["OPTIONS"]["location"])
    location.mkdir(parents=True)
    (location / "sealed").write_bytes(b"MLPS...")
    assert files.sealed_files().good
    (location / "clear").write_bytes(b"PAR1")
    finding = files.sealed_files()
    assert finding.seen == "1 of 2 files are not encrypted"
    assert "rotate_keys" in finding.mend


def test_open_settings_are_told(settings: Settings) -> None:
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = ["*"]
    settings.TIME_ZONE = "Europe/Berlin"
    checks = (security.debug_switch, security.allowed_hosts, security.time_zone)
    assert [check().good for check in checks] == [False, False, False]


@pytest.mark.django_db
def test_a_migrated_database_is_good() -> None:
    assert database.database_answers().good
    assert database.migrations_applied().good


@pytest.mark.django_db
def test_a_migration_that_is_not_applied_is_named() -> None:
    with whole_database():
        MigrationRecorder(connection).record_unapplied("mlplatform", "0001_initial")
    finding = database.migrations_applied()
    assert "mlplatform.0001_initial" in finding.seen
    assert "manage.py migrate" in finding.mend


def test_without_a_worker_the_start_command_is_told() -> None:
    finding = background.worker_answers()
    assert finding.seen == "no worker answers"
    assert "manage.py serve" in finding.mend


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "good"), [(1, True), (10, False)])
def test_the_scheduler_is_judged_by_its_last_heartbeat(minutes: int, good: bool) -> None:
    Heartbeat.objects.create(name="beat", at=timezone.now() - timedelta(minutes=minutes))
    assert background.scheduler_beats().good is good


@pytest.mark.django_db
def test_every_bad_finding_says_what_to_do() -> None:
    findings = examine()
    assert len(findings) == len(CHECKS)
    assert all(finding.mend for finding in findings if not finding.good)


def test_a_proxy_that_is_not_counted_is_told_of(settings: Settings) -> None:
    assert security.trusted_proxies().good
    settings.HTTPS = True
    finding = security.trusted_proxies()
    assert not finding.good
    assert "ML_TRUSTED_PROXIES" in finding.mend
    settings.TRUSTED_PROXIES = 1
    assert security.trusted_proxies().good


def test_a_data_folder_that_others_may_write_to_is_told(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    tmp_path.chmod(0o777)
    found = files.data_folder()
    assert not found.good
    assert "chmod 700" in found.mend
    tmp_path.chmod(0o700)
    assert files.data_folder().good
