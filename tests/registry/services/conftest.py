"""Tenants with something to lose."""

import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.api_keys import create_api_key
from mlplatform.tenancy.services.tenants import add_member
from tests.console import Furnished, furnish
from tests.factories import make_champion


@pytest.fixture
def furnished(tenant: Tenant) -> Furnished:
    return furnish(tenant)


@pytest.fixture
def small(tenant: Tenant) -> Furnished:
    """A tenant with one of what most tests look at: made in a tenth of the time."""
    with tenant_scope(tenant), tenant_transaction():
        champion = make_champion()
        create_api_key(name="laboratory", scopes=["read"], by=SYSTEM)
        add_member(email="someone@clinic.example", role="viewer", by=SYSTEM)
    return Furnished(tenant, champion.model, champion, champion)
