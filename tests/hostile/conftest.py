"""Who attacks whom: the winery's key and people try the clinic; the clinic's own try odd inputs."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from mlplatform.tenancy.models import AuditEvent, Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import ModelVersion
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_champion, rows_of


@pytest.fixture
def champion(tenant: Tenant) -> ModelVersion:
    """The clinic's champion for the model ``cancer``."""
    with tenant_scope(tenant), tenant_transaction():
        return make_champion()


@pytest.fixture
def row(champion: ModelVersion) -> dict[str, Any]:
    """A row that the champion answers."""
    with tenant_scope(champion.tenant), tenant_transaction():
        return rows_of(champion)[0]


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    """The clinic's key with every scope."""
    return api_for(tenant)


@pytest.fixture
def stranger(other_tenant: Tenant, api_for: ApiFor) -> APIClient:
    """The winery's key with every scope."""
    return api_for(other_tenant)


@pytest.fixture
def admin(tenant: Tenant, console_for: ConsoleFor) -> Client:
    """The clinic's admin in the console."""
    return console_for(tenant, Role.ADMIN)


def actions(tenant: Tenant) -> list[str]:
    """Return what the tenant's trail tells of, oldest first."""
    with tenant_scope(tenant), tenant_transaction():
        return list(AuditEvent.objects.order_by("sequence").values_list("action", flat=True))
