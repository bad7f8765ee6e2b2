"""What PostgreSQL refuses by itself, to code that has forgotten the tenant."""

import threading

import pytest
from django.db import Error, IntegrityError, OperationalError, ProgrammingError, connection, transaction

from mlplatform.tenancy.lookups import keys_with_prefix, memberships_of
from mlplatform.tenancy.models import Membership, Tenant, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import Alias, RegisteredModel
from tests.conftest import ApiFor
from tests.plugins.application_role import whole_database

pytestmark = [pytest.mark.needs_postgres, pytest.mark.django_db]
TOLD = "SELECT current_setting('app.tenant_id', true)"


def make_model(tenant: Tenant, name: str = "risk") -> RegisteredModel:
    with tenant_scope(tenant):
        model: RegisteredModel = RegisteredModel.objects.create(
            name=name, problem_type="regression", target="y"
        )
    return model


def names_by_raw_sql() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM registry_registeredmodel ORDER BY name")
        return [name for (name,) in cursor.fetchall()]


def told() -> str:
    with connection.cursor() as cursor:
        cursor.execute(TOLD)
        return str(cursor.fetchone()[0] or "")


@pytest.fixture
def both(tenant: Tenant, other_tenant: Tenant) -> tuple[RegisteredModel, RegisteredModel]:
    return make_model(tenant, "ours"), make_model(other_tenant, "theirs")


Both = tuple[RegisteredModel, RegisteredModel]


def test_a_forgotten_filter_leaks_nothing(both: Both, tenant: Tenant) -> None:
    with tenant_scope(tenant):
        assert [row.name for row in RegisteredModel._base_manager.all()] == ["ours"]
        assert [row.name for row in RegisteredModel.all_tenants.all()] == ["ours"]
        assert names_by_raw_sql() == ["ours"]
        assert RegisteredModel.all_tenants.filter(pk=both[1].pk).update(name="stolen") == 0
        assert RegisteredModel.all_tenants.filter(pk=both[1].pk).delete()[0] == 0


def test_without_a_tenant_there_are_no_rows(both: Both) -> None:
    assert names_by_raw_sql() == []
    assert not RegisteredModel.all_tenants.exists()
    with transaction.atomic():
        assert names_by_raw_sql() == []


def test_a_row_cannot_be_written_into_another_tenant(
    both: Both, tenant: Tenant, other_tenant: Tenant
) -> None:
    row = RegisteredModel(tenant=other_tenant, name="x", problem_type="regression", target="y")
    with tenant_scope(tenant):
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            RegisteredModel.objects.bulk_create([row])
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            RegisteredModel.objects.update(tenant=other_tenant)


def test_a_link_over_the_wall_is_refused(both: Both, tenant: Tenant) -> None:
    alias = Alias(tenant=tenant, model_id=both[1].pk, version_id=1, name="champion")
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS registry_alias_model_same_tenant IMMEDIATE")
        with pytest.raises(IntegrityError, match="registry_alias_model_same_tenant"), transaction.atomic():
            Alias.objects.bulk_create([alias])


def test_the_database_follows_the_scope(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(tenant), tenant_transaction():
        assert told() == str(tenant.pk)
        with tenant_scope(other_tenant), tenant_transaction():
            assert told() == str(other_tenant.pk)
        assert told() == str(tenant.pk)
    assert told() == ""


def test_a_savepoint_that_is_rolled_back_brings_no_other_tenant_back(
    both: Both, tenant: Tenant, other_tenant: Tenant
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        assert names_by_raw_sql() == ["ours"]
        savepoint = transaction.savepoint()
        with tenant_scope(other_tenant):
            assert names_by_raw_sql() == ["theirs"]
            transaction.savepoint_rollback(savepoint)
            assert names_by_raw_sql() == ["theirs"]
        assert names_by_raw_sql() == ["ours"]


def test_a_failed_statement_can_be_recovered_from(both: Both, tenant: Tenant) -> None:
    with tenant_scope(tenant), tenant_transaction():
        with pytest.raises(Error), tenant_transaction(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        assert names_by_raw_sql() == ["ours"]


def test_looking_up_a_key_needs_its_prefix(tenant: Tenant, other_tenant: Tenant, api_for: ApiFor) -> None:
    for owner in (tenant, other_tenant):
        api_for(owner)
    with whole_database(), connection.cursor() as cursor:
        cursor.execute("SELECT prefix FROM tenancy_apikey ORDER BY id")
        prefixes = [prefix for (prefix,) in cursor.fetchall()]
    assert [key.tenant for key in keys_with_prefix(prefixes[1])] == [other_tenant]
    assert keys_with_prefix("%") == []


def test_a_persons_memberships_are_found_before_a_tenant_is_known(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    ann, bob = User.objects.create_user("ann@example.com"), User.objects.create_user("bob@example.com")
    for owner in (tenant, other_tenant):
        with tenant_scope(owner):
            Membership.objects.create(user=ann)
    assert {one.tenant for one in memberships_of(ann)} == {other_tenant, tenant}
    assert memberships_of(bob) == []


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE registry_registeredmodel",
        "ALTER TABLE registry_registeredmodel DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant_isolation ON registry_registeredmodel",
        "CREATE TABLE mine (id int)",
        "UPDATE tenancy_auditevent SET action = 'nothing'",
        "DELETE FROM tenancy_auditevent",
        "DELETE FROM django_migrations",
        "ALTER TABLE registry_registeredmodel NO FORCE ROW LEVEL SECURITY",
        "CREATE VIEW public.mine AS SELECT * FROM registry_registeredmodel",
        "CREATE SCHEMA mine",
        "CREATE TRIGGER mine AFTER INSERT ON tenancy_auditevent EXECUTE FUNCTION pg_sleep()",
        "SELECT setval('registry_registeredmodel_id_seq', 1)",
        "SELECT count(*) FROM pg_statistic",
        "COPY registry_registeredmodel TO PROGRAM 'cat'",
        "COPY registry_registeredmodel TO '/tmp/mine'",
        "SELECT lo_import('/etc/passwd')",
        "SELECT pg_read_file('/etc/passwd')",
        "ALTER ROLE CURRENT_USER SUPERUSER",
    ],
)
def test_the_application_has_no_right_to_change_the_wall_or_to_leave_the_database(statement: str) -> None:
    with (
        pytest.raises((ProgrammingError, OperationalError), match=r"permission denied|must (be|have)"),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_the_wall_cannot_be_looked_round(both: Both, tenant: Tenant) -> None:
    with whole_database(), connection.cursor() as cursor:
        cursor.execute("ANALYZE registry_registeredmodel")
    with tenant_scope(tenant), tenant_transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stats WHERE tablename = 'registry_registeredmodel'")
        assert cursor.fetchone() == (0,)  # the planner's samples of both tenants' names
        # A function that is cheaper than the policy and tells what it is shown.
        cursor.execute(
            "CREATE FUNCTION pg_temp.tell(text) RETURNS bool LANGUAGE plpgsql COST 0.000001 AS"
            " $$ BEGIN IF $1 = 'theirs' THEN RAISE 'shown'; END IF; RETURN true; END $$"
        )
        cursor.execute("SELECT name FROM registry_registeredmodel WHERE pg_temp.tell(name)")
        assert cursor.fetchall() == [("ours",)]
        refused = pytest.raises(ProgrammingError, match="would be affected by row-level security")
        with refused, transaction.atomic():
            cursor.execute("SET LOCAL row_security = off; SELECT count(*) FROM registry_registeredmodel")


class TestOutsideTransactions:
    """The same without a transaction around: as in a worker, a command, a hook after the commit."""

    pytestmark = pytest.mark.django_db(transaction=True)

    def test_a_statement_by_itself_sees_its_tenant(self, both: Both, tenant: Tenant) -> None:
        with tenant_scope(tenant):
            assert names_by_raw_sql() == ["ours"]
            assert [row.name for row in RegisteredModel.objects.iterator()] == ["ours"]
        assert names_by_raw_sql() == []

    def test_the_connection_carries_nothing_on(self, both: Both, tenant: Tenant) -> None:
        with tenant_scope(tenant), tenant_transaction():
            assert names_by_raw_sql() == ["ours"]
        assert told() == ""
        with transaction.atomic():
            assert names_by_raw_sql() == []

    def test_two_transactions_in_a_row_see_each_their_own(
        self, both: Both, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        for owner, name in ((tenant, "ours"), (other_tenant, "theirs"), (tenant, "ours")):
            with tenant_scope(owner), tenant_transaction():
                assert names_by_raw_sql() == [name]

    def test_a_hook_after_the_commit_sees_the_scopes_tenant(self, both: Both, tenant: Tenant) -> None:
        seen: list[str] = []
        with tenant_scope(tenant), tenant_transaction():
            transaction.on_commit(lambda: seen.extend(names_by_raw_sql()))
        assert seen == ["ours"]

    def test_a_foreign_link_fails_at_the_commit(self, both: Both, tenant: Tenant) -> None:
        refused = pytest.raises(IntegrityError, match="violates foreign key")
        with tenant_scope(tenant), refused, tenant_transaction():
            Alias.objects.bulk_create([Alias(model_id=both[1].pk, version_id=1, name="champion")])

    def test_threads_see_each_their_own(self, both: Both, tenant: Tenant, other_tenant: Tenant) -> None:
        seen: dict[str, list[str]] = {}

        def work(owner: Tenant) -> None:
            with tenant_scope(owner):
                seen[owner.slug] = names_by_raw_sql()
            connection.close()

        threads = [threading.Thread(target=work, args=[owner]) for owner in (tenant, other_tenant)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == {tenant.slug: ["ours"], other_tenant.slug: ["theirs"]}
