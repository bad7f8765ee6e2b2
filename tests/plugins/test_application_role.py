"""What the tests may do to the database between two of them."""

import pytest
from django.db import connection

from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.walls import tenant_models
from tests.factories import make_version
from tests.plugins.application_role import ROLES, whole_database
from tests.plugins.emptying import empty_tables


@pytest.mark.needs_postgres
@pytest.mark.django_db(transaction=True)
def test_nothing_of_any_tenant_is_left_and_the_walls_stand_again(tenant: Tenant) -> None:
    with tenant_scope(tenant), tenant_transaction():
        make_version()
    with whole_database():
        filled = [model for model in tenant_models() if model._base_manager.exists()]
    assert len(filled) >= 4
    empty_tables()
    with whole_database():
        assert not Tenant.objects.exists()
        assert [model for model in filled if model._base_manager.exists()] == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_setting('session_replication_role')")
        assert cursor.fetchone() == (ROLES.application, "origin")
