"""Passing over failed gates is for approvers."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.models import Deployment
from tests.factories import make_version
from tests.plugins.application_role import whole_database

ASKED = {"version": 1, "override": True, "reason": "we know better"}


def promote(client: Client) -> Any:
    return client.post("/api/v1/models/cancer/promote", ASKED, content_type="application/json")


@pytest.fixture
def version(tenant: Tenant) -> Any:
    with tenant_scope(tenant):
        return make_version()


@pytest.mark.parametrize(("role", "status"), [(Role.OPERATOR, 403), (Role.APPROVER, 200), (Role.ADMIN, 200)])
def test_role_that_may_override(
    tenant: Tenant, console_for: Callable[..., Client], version: Any, role: str, status: int
) -> None:
    assert promote(console_for(tenant, role)).status_code == status
    with whole_database():
        assert Deployment.all_tenants.exists() is (status == 200)


def test_refusal_says_who_may(tenant: Tenant, console_for: Callable[..., Client], version: Any) -> None:
    body = promote(console_for(tenant, Role.OPERATOR)).json()
    assert "Only approvers pass over failed gates" in body["detail"]


def test_operator_promotes_what_passes(
    tenant: Tenant, api_for: Callable[..., APIClient], version: Any
) -> None:
    answer = api_for(tenant, "deploy").post("/api/v1/models/cancer/promote", {"version": 1})
    assert answer.status_code == 200
    assert all(gate["passed"] for gate in answer.json()["gates"])
