"""Inputs that reach for another tenant, or for more than one's own rights."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import ApiKey, Membership, Role, Tenant, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.tenants import add_member
from registry.models import ModelVersion, RegisteredModel
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_dataset, make_model
from tests.hostile.conftest import actions

MODELS = "/api/v1/models"


@pytest.mark.parametrize("path", ["", "/versions", "/versions/1", "/deployments", "/performance", "/policy"])
def test_01_a_foreign_id_answers_like_a_missing_one_at_the_same_cost(
    champion: ModelVersion, stranger: APIClient, path: str
) -> None:
    stranger.get(f"{MODELS}/warm{path}")
    told, costs = [], []
    for name in ("cancer", "absent"):
        with CaptureQueriesContext(connection) as queries:
            answer = stranger.get(f"{MODELS}/{name}{path}")
        body = answer.json()
        told.append((answer.status_code, body["code"], body["detail"].replace(name, "?")))
        costs.append(len(queries))
    assert told[0] == told[1]
    assert told[0][0] == 404
    assert costs[0] == costs[1]


def test_01_a_foreign_id_in_a_body_answers_like_a_missing_one(
    champion: ModelVersion, stranger: APIClient, other_tenant: Tenant
) -> None:
    with tenant_scope(other_tenant), tenant_transaction():
        make_model("wine")
    answers = [
        stranger.post("/api/v1/jobs", {"model": "wine", "dataset": key})
        for key in (champion.dataset_id, 999_999)
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert "access.denied" in actions(other_tenant)


@pytest.mark.parametrize("name", ["tenant", "tenant_id"])
def test_02_a_tenant_in_a_body_is_refused(
    client: APIClient, other_tenant: Tenant, tenant: Tenant, name: str
) -> None:
    body = {"name": "new", "problem_type": "regression", "target": "y"}
    assert client.post(MODELS, {**body, name: other_tenant.pk}).status_code == 400
    assert client.post(MODELS, body).status_code == 201
    with tenant_scope(other_tenant), tenant_transaction():
        assert not RegisteredModel.objects.exists()


def test_03_a_row_is_never_linked_to_a_foreign_one(
    champion: ModelVersion, stranger: APIClient, other_tenant: Tenant
) -> None:
    rule = {"model": "cancer", "metric": "drift_share", "threshold": 0.2}
    times = {"model": "cancer", "name": "n", "kind": "cron", "cron": "0 3 * * *"}
    for path, body in (("alert-rules", rule), ("schedules", times)):
        assert stranger.post(f"/api/v1/{path}", body).status_code == 404
    assert not {"alert_rule.created", "schedule.created"} & set(actions(other_tenant))


@pytest.mark.parametrize("across", ["0", "1"])
@pytest.mark.parametrize("forged", ["x", "-1", "1' OR '1'='1", "999999999999999999999999"])
def test_04_a_forged_selection_affects_nothing(
    tenant: Tenant, api_for: ApiFor, other_tenant: Tenant, console_for: ConsoleFor, forged: str, across: str
) -> None:
    api_for(tenant)
    with tenant_scope(tenant), tenant_transaction():
        key = ApiKey.objects.get()
    sent = {"action": "revoke_selected", "_selected_action": [forged, str(key.pk)], "select_across": across}
    answer = console_for(other_tenant).post("/admin/tenancy/apikey/", sent)
    assert answer.status_code in {200, 302}
    with tenant_scope(tenant), tenant_transaction():
        assert ApiKey.objects.get().revoked_at is None
    assert "access.denied" in actions(other_tenant)


def test_05_lists_searches_histories_and_exports_show_nothing_foreign(
    champion: ModelVersion, other_tenant: Tenant, console_for: ConsoleFor
) -> None:
    outsider = console_for(other_tenant)
    for path in (
        "registry/registeredmodel/",
        "registry/registeredmodel/?q=cancer",
        "registry/modelversion/",
        "training/trainingjob/add/",
        "tenancy/auditevent/?q=cancer",
    ):
        page = outsider.get(f"/admin/{path}").content.decode()
        assert f"/registeredmodel/{champion.model_id}/" not in page
        assert ">cancer" not in page
    assert outsider.get(f"/admin/registry/modelversion/{champion.pk}/history/").status_code == 404
    exported = outsider.post("/admin/tenancy/auditevent/export/", {"form": "jsonl"})
    assert b"cancer" not in b"".join(exported)


@pytest.mark.parametrize(
    "query",
    [
        "model__tenant__slug=clinic",
        "created_by__password__startswith=p",
        "tenant__slug=clinic",
        "ordering=password",
        "order_by=tenant",
    ],
)
@pytest.mark.parametrize("path", ["models", "jobs", "members", "predictions", "audit"])
def test_06_a_filter_through_relations_is_refused(client: APIClient, path: str, query: str) -> None:
    assert client.get(f"/api/v1/{path}?{query}").status_code == 400


@pytest.mark.parametrize(
    "query", ["user__password__startswith=p", "tenant__slug=clinic", "user__memberships__role=admin"]
)
def test_06_a_filter_of_the_console_through_relations_is_refused(admin: Client, query: str) -> None:
    answer = admin.get(f"/admin/tenancy/membership/?{query}")
    assert answer.status_code in {302, 400}


def test_07_a_name_that_another_tenant_uses_is_free(
    champion: ModelVersion, client: APIClient, stranger: APIClient
) -> None:
    body = {"name": "cancer", "problem_type": "classification", "target": "diagnosis"}
    assert stranger.post(MODELS, body).status_code == 201
    assert client.post(MODELS, body).status_code == 409


@pytest.mark.parametrize(
    "header", ["X-Tenant", "X-Tenant-Id", "Tenant", "X-Forwarded-Host", "X-Original-URL", "X-User-Id"]
)
def test_08_a_header_that_names_another_tenant_is_not_believed(
    champion: ModelVersion, stranger: APIClient, header: str
) -> None:
    assert stranger.get(f"{MODELS}/cancer", headers={header: "clinic"}).status_code == 404


def test_09_a_key_that_may_only_read_changes_nothing(
    champion: ModelVersion, tenant: Tenant, api_for: ApiFor
) -> None:
    reader = api_for(tenant, "read")
    for path in ("models/cancer/promote", "models/cancer/rollback", "jobs", "outcomes", "api-keys"):
        assert reader.post(f"/api/v1/{path}", {}).status_code == 403, path
    assert actions(tenant).count("access.denied") == 5


@pytest.fixture
def ann(tenant: Tenant) -> Membership:
    """A member whom somebody would like to make more powerful."""
    with tenant_scope(tenant), tenant_transaction():
        return add_member(email="ann@clinic.example", role=Role.VIEWER, by=SYSTEM)


@pytest.mark.parametrize("extra", ["is_superuser", "is_staff", "user", "tenant", "password", "groups"])
def test_10_no_form_and_no_body_gives_rights_on_the_platform(
    ann: Membership, client: APIClient, admin: Client, extra: str
) -> None:
    address = f"/api/v1/members/{ann.pk}"
    assert client.patch(address, {"role": "admin", extra: True}).status_code == 400
    admin.post(f"/admin/tenancy/membership/{ann.pk}/change-role/", {"role": "admin", extra: "1"})
    assert admin.get(f"/admin/tenancy/user/{ann.user_id}/change/").status_code in {302, 403}
    user = User.objects.get(pk=ann.user_id)
    assert not user.is_superuser
    assert not user.has_usable_password()


@pytest.mark.parametrize(
    "command",
    [
        ["create_api_key", "--name", "x", "--scopes", "read"],
        ["promote", "--model", "cancer", "--number", "1"],
        ["create_model", "--name", "x", "--target", "y", "--problem", "regression"],
    ],
)
def test_45_a_command_for_an_unknown_tenant_or_none_ends_before_any_write(
    champion: ModelVersion, tenant: Tenant, command: list[str]
) -> None:
    before = actions(tenant)
    for words in (command, [*command, "--tenant", "nobody"]):
        with pytest.raises(CommandError):
            call_command(*words, stdout=io.StringIO())
    assert actions(tenant) == before


def test_45_a_command_names_no_object_of_another_tenant(
    champion: ModelVersion, other_tenant: Tenant, tenant: Tenant
) -> None:
    with tenant_scope(other_tenant), tenant_transaction():
        make_model("wine")
    own: dict[str, Any] = {"tenant": "winery", "stdout": io.StringIO()}
    with pytest.raises(CommandError, match="no model 'cancer'"):
        call_command("promote", model="cancer", number=1, **own)
    with pytest.raises(CommandError, match=f"no dataset {champion.dataset_id}"):
        call_command("train", model="wine", dataset=champion.dataset_id, **own)
    with tenant_scope(tenant), tenant_transaction():
        assert make_dataset().pk == champion.dataset_id
