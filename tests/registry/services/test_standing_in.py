"""A champion whose file is damaged: never parsed; the one before answers, and says so, on both ways."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from pytest_django import Settings
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.api import predict_now
from registry.artifacts.formats import load
from registry.models import ModelVersion, Prediction
from registry.services import damage, loading
from registry.services.access import MEMORY
from registry.services.loading import CACHE
from registry.services.promotion import promote
from registry.storage import read_bytes
from tests.conftest import ApiFor
from tests.factories import make_champion, make_dataset, make_version, rows_of, table

pytestmark = pytest.mark.django_db(transaction=True)
Damaged = tuple[ModelVersion, ModelVersion]


def file_of(version: ModelVersion) -> Path:
    return Path(default_storage.path(version.artifact_file))


@pytest.fixture
def two(tenant: Tenant) -> Damaged:
    """The champion before, and the champion, each with a file of its own."""
    with tenant_scope(tenant):
        first = make_champion()
        second = make_version(first.model, dataset=make_dataset(frame=table().head(300)))
        promote(model=first.model, version=second, by=SYSTEM, reason="x", override=True)
    return first, second


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    return api_for(tenant)


@pytest.fixture(params=["short", "long"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[str]:
    """Both ways to an answer; the short one is remembered, as in production."""
    if request.param == "long":
        monkeypatch.setattr(predict_now, "_is_usual", lambda _: False)
    else:
        settings.SERVING_MEMORY_SECONDS = 0.02
    yield request.param
    MEMORY.forget()


def harm(version: ModelVersion) -> bytes:
    """Change the file, and start afresh; return what it held."""
    file = file_of(version)
    whole = file.read_bytes()
    file.write_bytes(whole[:-7] + b"changed")
    CACHE.clear()
    MEMORY.forget()
    return whole


def ask(client: APIClient, of: ModelVersion, **more: Any) -> Any:
    with tenant_scope(of.tenant):
        row = rows_of(of)[0]
    return client.post(f"/api/v1/models/{of.model.name}/predict", {"row": row, **more}, format="json")


@pytest.mark.usefixtures("way")
def test_a_process_that_starts_fresh_answers_with_the_champion_before_and_says_so(
    two: Damaged, client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two
    assert (ask(client, second).json()["version"], ask(client, second).json()["instead_of"]) == (2, None)
    harm(second)
    parsed: list[str] = []

    def load_and_note(data: bytes) -> Any:
        parsed.append(hashlib.sha256(data).hexdigest())
        return load(data)

    monkeypatch.setattr(loading, "load", load_and_note)
    for _ in range(3):
        answer = ask(client, second)
        assert answer.status_code == 200, answer.content
        assert (answer.json()["version"], answer.json()["instead_of"]) == (1, 2)
    assert set(parsed) == {first.artifact_hash}
    with tenant_scope(first.tenant):
        assert AuditEvent.objects.filter(action="version.artifact_refused").count() <= 1
        logged = Prediction.objects.order_by("-created_at")[:3]
        assert {one.version_id for one in logged} == {first.pk}


@pytest.mark.usefixtures("way")
def test_once_the_file_is_restored_the_champion_answers_again(
    two: Damaged, client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, second = two
    whole = harm(second)
    assert ask(client, second).json()["instead_of"] == 2
    file_of(second).write_bytes(whole)
    monkeypatch.setattr(damage, "ASKED_AGAIN_SECONDS", 0.0)
    for _ in range(200):
        answer = ask(client, second).json()
        if answer["instead_of"] is None:
            break
    assert (answer["version"], answer["instead_of"]) == (2, None)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("more", [{"version": 2}, {"alias": "newest"}])
def test_whoever_names_the_damaged_version_is_refused(
    more: dict[str, Any], two: Damaged, client: APIClient
) -> None:
    _, second = two
    client.put(f"/api/v1/models/{second.model.name}/aliases/newest", {"version": 2})
    harm(second)
    answer = ask(client, second, **more)
    assert (answer.status_code, answer.json()["code"]) == (503, "artifact_corrupt")
    named = ask(client, second, version=1).json()
    assert (named["version"], named["instead_of"]) == (1, None)


@pytest.mark.usefixtures("way")
def test_a_version_that_takes_other_inputs_does_not_stand_in(tenant: Tenant, client: APIClient) -> None:
    with tenant_scope(tenant):
        first = make_champion()
        other = make_dataset(frame=table().drop(columns=["mean_texture"]))
        second = make_version(first.model, dataset=other)
        promote(model=first.model, version=second, by=SYSTEM, reason="x", override=True)
    harm(second)
    assert ask(client, second).status_code == 503


@pytest.mark.usefixtures("way")
def test_a_champion_before_that_is_damaged_as_well_is_passed_over(
    two: Damaged, tenant: Tenant, client: APIClient
) -> None:
    first, second = two
    with tenant_scope(tenant):
        third = make_version(first.model, dataset=make_dataset(frame=table().head(350)))
        promote(model=first.model, version=third, by=SYSTEM, reason="x", override=True)
    harm(second)
    harm(third)
    assert (ask(client, third).json()["version"], ask(client, third).json()["instead_of"]) == (1, 3)


def test_a_process_that_holds_the_champion_before_goes_on_with_it_and_says_so(
    tenant: Tenant, client: APIClient, settings: Settings
) -> None:
    settings.SERVING_MEMORY_SECONDS = 0.02
    with tenant_scope(tenant):
        first = make_champion()
    assert ask(client, first).json()["version"] == 1
    with tenant_scope(tenant):
        second = make_version(first.model, dataset=make_dataset(frame=table().head(300)))
        promote(model=first.model, version=second, by=SYSTEM, reason="x", override=True)
    file_of(second).write_bytes(b"nothing")
    CACHE.clear()
    answers = [ask(client, first).json() for _ in range(60)]
    assert {answer["version"] for answer in answers} == {1}
    assert answers[-1]["instead_of"] == 2


def test_a_damaged_file_is_not_read_for_each_request(
    two: Damaged, client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, second = two
    harm(second)
    read: list[str] = []

    def read_and_note(path: str) -> bytes:
        read.append(path)
        return read_bytes(path)

    monkeypatch.setattr(loading, "read_bytes", read_and_note)
    for _ in range(5):
        ask(client, second)
    assert read.count(second.artifact_file) == 1
