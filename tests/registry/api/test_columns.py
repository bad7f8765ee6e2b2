from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.models import Dataset, ModelVersion, RegisteredModel
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_champion

Door = Callable[[dict[str, str | None]], Any]


@pytest.fixture
def champion(tenant: Tenant) -> ModelVersion:
    """The clinic's deployed version."""
    with tenant_scope(tenant):
        return make_champion()


def marks(tenant: Tenant) -> tuple[dict[str, str], dict[str, str]]:
    """The marks of the clinic's dataset and of its model."""
    with tenant_scope(tenant):
        columns = Dataset.objects.get().columns
        personal: dict[str, str] = RegisteredModel.objects.get().personal
    return {one["name"]: one["personal"] for one in columns if one["personal"]}, personal


def patch(client: APIClient, what: str, columns: object) -> Any:
    return client.patch(f"/api/v1/{what}/columns", {"columns": columns})


def test_the_api_marks_datasets_and_models(champion: ModelVersion, tenant: Tenant, api_for: ApiFor) -> None:
    client = api_for(tenant, "train", "read")
    answer = patch(client, f"datasets/{champion.dataset_id}", {"mean_radius": "drop"})
    assert answer.status_code == 200, answer.json()
    assert [one["name"] for one in answer.json()["columns"] if one["personal"] == "drop"] == ["mean_radius"]
    answer = patch(client, "models/cancer", {"mean_area": "pseudonymise"})
    assert answer.json()["personal"] == {"mean_radius": "drop", "mean_area": "pseudonymise"}
    assert marks(tenant) == ({"mean_radius": "drop"}, answer.json()["personal"])


def test_showing_more_needs_an_admin(champion: ModelVersion, tenant: Tenant, api_for: ApiFor) -> None:
    dataset = f"datasets/{champion.dataset_id}"
    analyst, admin = api_for(tenant, "train"), api_for(tenant, "train", "admin")
    assert patch(analyst, dataset, {"mean_radius": "drop"}).status_code == 200
    for looser in ("pseudonymise", None):
        assert patch(analyst, dataset, {"mean_radius": looser}).status_code == 403
    assert marks(tenant)[0] == {"mean_radius": "drop"}
    assert patch(admin, dataset, {"mean_radius": None}).status_code == 200
    assert patch(analyst, "models/cancer", {"mean_radius": None}).status_code == 403
    assert patch(admin, "models/cancer", {"mean_radius": None}).status_code == 200
    assert marks(tenant) == ({}, {})


@pytest.mark.parametrize(
    ("columns", "status"),
    [
        ({"no such": "drop"}, 422),
        ({"diagnosis": "drop"}, 422),
        ({"mean_radius": "hide"}, 400),
        ({}, 400),
        ("mean_radius", 400),
        ({"mean_radius": {"deep": 1}}, 400),
    ],
)
def test_what_cannot_be_marked_is_said(
    champion: ModelVersion, tenant: Tenant, api_for: ApiFor, columns: object, status: int
) -> None:
    for what in (f"datasets/{champion.dataset_id}", "models/cancer"):
        assert patch(api_for(tenant), what, columns).status_code == status
    assert marks(tenant) == ({}, {})


def test_another_tenants_columns_are_not_there(
    champion: ModelVersion, other_tenant: Tenant, api_for: ApiFor
) -> None:
    for what in (f"datasets/{champion.dataset_id}", "models/cancer"):
        assert patch(api_for(other_tenant), what, {"mean_radius": "drop"}).status_code == 404


def send(client: Client, address: str, **chosen: str) -> Any:
    """Send the page's form with these choices for its columns, the others as they are."""
    form = client.get(address).context["form"]
    fields = {field: form.fields[field].initial for field in form.names}
    wanted = {field: chosen[name] for field, name in form.names.items() if name in chosen}
    return client.post(address, {**fields, **wanted})


def test_the_console_marks_datasets_and_models(
    champion: ModelVersion, tenant: Tenant, console_for: ConsoleFor
) -> None:
    client = console_for(tenant, Role.ANALYST)
    dataset = f"/admin/registry/dataset/{champion.dataset_id}"
    assert send(client, f"{dataset}/columns/", mean_radius="pseudonymise").status_code == 302
    page = client.get(f"{dataset}/change/").content.decode()
    assert "pseudonyms" in page
    model = f"/admin/registry/registeredmodel/{champion.model_id}"
    assert send(client, f"{model}/columns/", mean_area="drop").status_code == 302
    expected = {"mean_radius": "pseudonymise", "mean_area": "drop"}
    assert marks(tenant) == ({"mean_radius": "pseudonymise"}, expected)
    refused = send(client, f"{dataset}/columns/", mean_radius="none")
    assert "Only admins show more of a personal column." in refused.content.decode()
    assert marks(tenant) == ({"mean_radius": "pseudonymise"}, expected)
    assert send(console_for(tenant), f"{dataset}/columns/", mean_radius="none").status_code == 302
    assert marks(tenant)[0] == {}


def test_the_console_asks_for_the_right(
    champion: ModelVersion, tenant: Tenant, console_for: ConsoleFor
) -> None:
    client = console_for(tenant, Role.VIEWER)
    assert client.get(f"/admin/registry/dataset/{champion.dataset_id}/columns/").status_code == 403


def test_the_command_marks_datasets_and_models(champion: ModelVersion, tenant: Tenant) -> None:
    of_dataset = ["--tenant", "clinic", "--dataset", str(champion.dataset_id)]
    call_command("mark_columns", *of_dataset, "--pseudonymise", "mean_radius", "--drop", "mean_area")
    call_command("mark_columns", "--tenant", "clinic", "--model", "cancer", "--drop", "mean_texture")
    call_command("mark_columns", *of_dataset, "--not-personal", "mean_radius")
    dataset, model = marks(tenant)
    assert dataset == {"mean_area": "drop"}
    assert model == {"mean_radius": "pseudonymise", "mean_area": "drop", "mean_texture": "drop"}
