"""Signs of life."""

from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from rest_framework.test import APIClient

from mlplatform.models import Heartbeat
from mlplatform.tenancy.models import Tenant
from registry.models import RegisteredModel
from tests.conftest import ApiFor
from tests.monitoring.conftest import Ask
from tests.plugins.application_role import whole_database

URL = "/api/v1/health"


def test_anyone_may_ask_whether_the_process_lives() -> None:
    assert APIClient().get(f"{URL}/live").json() == {"status": "live"}


def test_a_sound_installation_is_ready_and_leaves_no_file(db: None, tmp_path: Path) -> None:
    answer = APIClient().get(f"{URL}/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert [part["name"] for part in answer.json()["parts"]] == ["database", "migrations", "storage"]
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def failing(answer_body: dict[str, object]) -> list[str]:
    parts = answer_body["parts"]
    assert isinstance(parts, list)
    return [part["detail"] for part in parts if not part["ready"]]


def test_a_missing_migration_is_told(db: None) -> None:
    with whole_database():
        MigrationRecorder(connection).record_unapplied("monitoring", "0001_initial")
    answer = APIClient().get(f"{URL}/ready")
    assert answer.status_code == 503
    assert failing(answer.json()) == ["1 migrations are not applied. Run manage.py migrate."]


def test_a_storage_that_cannot_be_written_is_told(db: None, tmp_path: Path) -> None:
    (tmp_path / "files").write_text("a file where the folder should be")
    answer = APIClient().get(f"{URL}/ready")
    assert answer.status_code == 503
    assert "Files cannot be stored" in failing(answer.json())[0]


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_health_is_only_read(db: None, method: str) -> None:
    assert getattr(APIClient(), method)(f"{URL}/ready").status_code == 405


def test_the_status_counts_the_tenants_own(
    tenant: Tenant, other_tenant: Tenant, api_for: ApiFor, model: RegisteredModel, ask: Ask
) -> None:
    ask(3)
    ours = api_for(tenant).get("/api/v1/system/status").json()
    assert (ours["beat_alive"], ours["counts"]["predictions_24h"], ours["counts"]["models"]) == (False, 3, 1)
    theirs = api_for(other_tenant).get("/api/v1/system/status").json()
    assert set(theirs["counts"].values()) == {0}


def test_a_fresh_heartbeat_is_alive(tenant: Tenant, api_for: ApiFor) -> None:
    Heartbeat.objects.create(name="beat", at=timezone.now())
    assert api_for(tenant).get("/api/v1/system/status").json()["beat_alive"] is True


def test_the_status_is_for_those_who_are_signed_in(db: None) -> None:
    assert APIClient().get("/api/v1/system/status").status_code == 401
