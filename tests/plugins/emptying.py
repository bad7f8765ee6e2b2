"""Empties the tables after a test that really commits, far quicker than Django's own ``flush``.

Django deletes from every table, on PostgreSQL with a TRUNCATE that makes the files of a hundred tables and of
their indexes anew, and then makes the content types and rights again that it has just deleted. Here the few
tables that hold rows lose them, and what follows from the migrations alone is left as it is.
"""

from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction
from django.test import TransactionTestCase

from tests.plugins.application_role import whole_database

# What Django makes of the models after each migration, the same each time.
KEPT = ("auth_permission", "django_content_type")
COUNT = "SELECT '{0}', COUNT(*) FROM {0}"
HOLDS = "SELECT '{0}' WHERE EXISTS (SELECT 1 FROM {0})"
_made: list[tuple[Any, ...]] = []


def use_for_tests() -> None:
    """Empty the tables this way after each test from now on; the database stands, and is empty."""
    TransactionTestCase._fixture_teardown = lambda _: empty_tables()  # type: ignore[attr-defined]  # its own hook
    with whole_database():
        _made[:] = _asked(COUNT, KEPT)


def empty_tables() -> None:
    """Delete every row that no migration made; raises RuntimeError where one of theirs is missing, or new."""
    tables = {*connection.introspection.django_table_names(only_existing=True)} - {*KEPT}
    with whole_database(), transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # All tables are emptied together: no foreign key, and no trigger that forbids it, has a say.
            cursor.execute("SET LOCAL session_replication_role = replica")
        for (name,) in _asked(HOLDS, tables):
            cursor.execute(f"DELETE FROM {name}")  # noqa: S608  # a table's own name
        now = _asked(COUNT, KEPT)
    if now != _made:
        raise RuntimeError(f"A test left other content types or rights behind: {now}, not {_made}.")


def _asked(question: str, tables: Iterable[str]) -> list[tuple[Any, ...]]:
    """Return the answers to one question about each table."""
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(map(question.format, sorted(tables))))
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
