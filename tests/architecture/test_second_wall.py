"""Every tenant table of the PostgreSQL database is walled in: policy, links, uniqueness."""

from typing import Any

import pytest
from django.db import connection

from mlplatform.tenancy.models import TenantModel
from mlplatform.tenancy.walls import tenant_links, tenant_models

pytestmark = [pytest.mark.needs_postgres, pytest.mark.django_db]
every_table = pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model._meta.db_table)


def rows(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def constraints(table: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        return connection.introspection.get_constraints(cursor, table)


@every_table
def test_the_policy_is_forced_on_all_commands(model: type[TenantModel]) -> None:
    table = model._meta.db_table
    assert rows(
        "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", table
    ) == [(True, True)]
    found = rows(
        "SELECT cmd, roles::text, qual = with_check,"
        " qual LIKE '%%(tenant_id = ( SELECT (NULLIF(current_setting(''app.tenant_id''%%'"
        " FROM pg_policies WHERE tablename = %s AND policyname = 'tenant_isolation'",
        table,
    )
    assert found == [("ALL", "{public}", True, True)]


def test_the_only_other_policies_are_the_owners_for_looking_up() -> None:
    others = rows(
        "SELECT tablename, cmd, roles::text FROM pg_policies"
        " WHERE policyname <> 'tenant_isolation' ORDER BY 1"
    )
    owner = "{mlplatform_test_owner}"
    assert others == [("tenancy_apikey", "SELECT", owner), ("tenancy_membership", "SELECT", owner)]


@every_table
def test_everything_unique_is_so_within_the_tenant(model: type[TenantModel]) -> None:
    # One-to-one links are unique by themselves: what they lead to is the tenant's already.
    one_to_one = [[field.column] for field in model._meta.local_fields if field.one_to_one]
    unique = [
        found["columns"]
        for found in constraints(model._meta.db_table).values()
        if found["unique"] and not found["primary_key"]
    ]
    assert [columns for columns in unique if columns[0] != "tenant_id" and columns not in one_to_one] == []


@every_table
def test_every_link_to_a_tenants_row_names_the_tenant(model: type[TenantModel]) -> None:
    found = rows(
        "SELECT confrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'f' AND conrelid = %s::regclass",
        model._meta.db_table,
    )
    for link in tenant_links(model):
        other: str = link.related_model._meta.db_table
        twin = f"FOREIGN KEY (tenant_id, {link.column}) REFERENCES {other}(tenant_id, "
        assert any(definition.startswith(twin) for table, definition in found if table == other), link


def test_the_functions_that_look_past_the_wall_are_known() -> None:
    found = rows(
        "SELECT proname, pg_get_userbyid(proowner), proconfig::text,"
        " has_function_privilege('public', oid, 'EXECUTE')"
        " FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace ORDER BY 1"
    )
    owner, path = "mlplatform_test_owner", '{"search_path=pg_catalog, pg_temp"}'
    assert found == [("key_lookup", owner, path, False), ("memberships_of", owner, path, False)]
