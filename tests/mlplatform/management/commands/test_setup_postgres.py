"""The command that makes the roles of PostgreSQL."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.plugins.application_role import whole_database

PREFIX = "mlplatform_once"  # made and rolled back with the test's transaction
pytestmark = pytest.mark.django_db


def setup_postgres(*options: str) -> str:
    out = StringIO()
    call_command("setup_postgres", f"--prefix={PREFIX}", *options, stdout=out)
    return out.getvalue()


def attributes(role: str) -> tuple[bool, ...]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls, rolcreatedb FROM pg_roles WHERE rolname = %s", [role])
        found: tuple[bool, ...] = cursor.fetchone()
    return found


def test_on_another_database_it_says_so() -> None:
    if connection.vendor == "postgresql":
        assert "CREATE ROLE" in setup_postgres()
        return
    with pytest.raises(CommandError, match="not PostgreSQL"):
        setup_postgres()


@pytest.mark.needs_postgres
def test_printing_changes_nothing() -> None:
    sql = setup_postgres()
    assert f"CREATE ROLE {PREFIX}_app" in sql
    assert "NOBYPASSRLS" in sql
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname LIKE %s", [f"{PREFIX}%"])
        assert cursor.fetchone() == (0,)


@pytest.mark.needs_postgres
def test_the_roles_have_what_they_need_and_no_more() -> None:
    with whole_database():
        shown = setup_postgres("--apply")
        assert attributes(f"{PREFIX}_app") == (False, False, False)
        assert attributes(f"{PREFIX}_owner") == (False, False, False)
        assert attributes(f"{PREFIX}_ops") == (False, True, False)
    assert shown.count(PREFIX) == 3  # a password for each, once
    with whole_database():
        assert "as they should be" in setup_postgres("--apply")
        assert setup_postgres("--apply", "--new-passwords").count(PREFIX) == 3


@pytest.mark.needs_postgres
def test_everything_is_handed_to_the_new_owner() -> None:
    with whole_database(), connection.cursor() as cursor:
        setup_postgres("--apply")
        cursor.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
        assert cursor.fetchall() == [(f"{PREFIX}_owner",)]
        cursor.execute(f"SET ROLE {PREFIX}_app")
        cursor.execute("SELECT count(*) FROM key_lookup('none')")
        assert cursor.fetchone() == (0,)
        for table, right, has in (
            ("registry_dataset", "DELETE", True),
            ("registry_dataset", "TRUNCATE", False),
            ("tenancy_auditevent", "UPDATE", False),
        ):
            cursor.execute("SELECT has_table_privilege(%s, %s)", [table, right])
            assert cursor.fetchone() == (has,)


@pytest.mark.needs_postgres
def test_who_may_not_is_told_whom_to_ask() -> None:
    with pytest.raises(CommandError, match="Connect as a superuser"):
        setup_postgres("--apply")


@pytest.mark.needs_postgres
@pytest.mark.parametrize("prefix", ["a; DROP", "Upper", "1st", ""])
def test_a_prefix_that_is_no_plain_word_is_refused(prefix: str) -> None:
    with pytest.raises(CommandError, match="letters, digits and underscores"):
        call_command("setup_postgres", f"--prefix={prefix}")
