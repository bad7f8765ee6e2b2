"""The server does not start on a connection that could see past the tenants' wall."""

import runpy
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from mlplatform.doctor.database import tenants_apart
from mlplatform.tasks import refuse_to_start
from mlplatform.tenancy.guard import gaps, refuse_gaps
from tests.plugins.application_role import PREFIX, ROLES, whole_database

TABLE = "registry_dataset"


@contextmanager
def as_role(role: str) -> Iterator[None]:
    with whole_database(), connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {role}")
        yield


def change(statement: str) -> None:
    with whole_database(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
def test_the_tests_own_connection_is_held_by_the_policies() -> None:
    assert gaps() == []
    assert [found for found in run_checks(databases=["default"]) if not found.is_silenced()] == []
    assert tenants_apart().good


@pytest.mark.needs_postgres
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "what"),
    [("NONE", "is a superuser"), (ROLES.operations, "BYPASSRLS"), (ROLES.owner, "owns tenants' tables")],
)
def test_a_role_that_could_pass_by_is_found(role: str, what: str) -> None:
    with as_role(role):
        found = gaps()
        assert what in found[0].what
        assert "setup_postgres --apply" in found[0].mend
        told = [one.id for one in run_checks(databases=["default"]) if not one.is_silenced()]
        assert told == ["tenancy.W005"] * len(found)


@pytest.mark.needs_postgres
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "what"),
    [
        (f"GRANT {ROLES.owner} TO {ROLES.application}", "owns tenants' tables"),
        (f"GRANT {ROLES.operations} TO {ROLES.application}", "BYPASSRLS"),
        (
            f"GRANT TRUNCATE ON {TABLE} TO {ROLES.application}",
            f"asks no policy: {TABLE}",
        ),
        (f"ALTER TABLE {TABLE} NO FORCE ROW LEVEL SECURITY", f"not enabled and forced: {TABLE}"),
        (f"DROP POLICY tenant_isolation ON {TABLE}", f"missing or altered: {TABLE}"),
        (f"ALTER POLICY tenant_isolation ON {TABLE} USING (true)", f"missing or altered: {TABLE}"),
        (f"CREATE POLICY more ON {TABLE} USING (true)", f"see more: {TABLE}"),
    ],
)
def test_a_hole_in_the_wall_is_found(statement: str, what: str) -> None:
    change(statement)
    assert what in gaps()[0].what
    finding = tenants_apart()
    assert not finding.good
    assert what in finding.seen
    assert finding.mend


@pytest.mark.needs_postgres
@pytest.mark.django_db
def test_the_set_up_puts_a_lost_policy_up_again() -> None:
    change(f"DROP POLICY tenant_isolation ON {TABLE}; ALTER TABLE {TABLE} DISABLE ROW LEVEL SECURITY")
    with whole_database():
        call_command("setup_postgres", "--apply", f"--prefix={PREFIX}")
    assert gaps() == []


@pytest.mark.needs_postgres
@pytest.mark.django_db(transaction=True)
class TestStart:
    """The start itself, with a policy of one table taken off and put back."""

    @pytest.fixture(autouse=True)
    def _hole(self) -> Iterator[None]:
        change(f"ALTER TABLE {TABLE} NO FORCE ROW LEVEL SECURITY")
        yield
        change(f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY")

    def test_the_web_server_refuses(self) -> None:
        with pytest.raises(ImproperlyConfigured, match=f"does not start: .*{TABLE}"):
            runpy.run_module("mlplatform.wsgi")

    def test_worker_and_scheduler_refuse(self) -> None:
        with pytest.raises(SystemExit, match=f"does not start: .*{TABLE}"):
            refuse_to_start()

    def test_a_developer_may(self, settings: Settings) -> None:
        settings.DEBUG = True
        refuse_gaps()
