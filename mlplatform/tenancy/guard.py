"""Does the database really hold tenants apart? Asked by the server and the worker before they start.

A policy that the connected role may pass by protects nothing, and nothing would show it: every test and every
page works the same. So production refuses to start on such a connection.
"""

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from mlplatform.tenancy.rls import POLICY, SETTING
from mlplatform.tenancy.walls import tenant_models

ROLE = """
    SELECT current_user, bool_or(rolsuper), bool_or(rolbypassrls)
    FROM pg_roles WHERE pg_has_role(current_user, oid, 'MEMBER')
"""
# For each table: may the role change the table itself, are the policies on and forced, is ours there and
# whole, and is there another that lets the role see more.
TABLES = """
    SELECT c.relname,
        pg_has_role(current_user, c.relowner, 'MEMBER'),
        has_table_privilege(c.oid, 'TRUNCATE'),
        c.relrowsecurity AND c.relforcerowsecurity,
        EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = %(policy)s
            AND p.polcmd = '*' AND p.polroles = '{0}' AND p.polpermissive
            AND strpos(pg_get_expr(p.polqual, p.polrelid), %(setting)s) > 0
            AND strpos(pg_get_expr(p.polwithcheck, p.polrelid), %(setting)s) > 0),
        EXISTS (SELECT FROM pg_policy p, unnest(p.polroles) AS role
            WHERE p.polrelid = c.oid AND p.polname <> %(policy)s AND p.polpermissive
            AND (role = 0 OR pg_has_role(current_user, role, 'MEMBER')))
    FROM pg_class c
    WHERE c.relname = ANY(%(tables)s) AND c.relnamespace = current_schema()::regnamespace
    ORDER BY c.relname
"""
USE_APPLICATION_ROLE = (
    "Run `manage.py setup_postgres --apply` as a superuser and let DATABASE_URL name the application's role."
)
MEND_TABLES = "Run `manage.py migrate` as the owner, then `manage.py setup_postgres --apply` as a superuser."
OWNS = "The role owns tenants' tables and could switch their policies off"
# What is wrong, the column that tells, the value that is bad, and what to do.
FINDINGS = (
    (OWNS, 1, True, USE_APPLICATION_ROLE),
    ("The role may truncate tenants' tables, which asks no policy", 2, True, USE_APPLICATION_ROLE),
    ("Row-level security of tenants' tables is not enabled and forced", 3, False, MEND_TABLES),
    ("The policy that shows one tenant's rows is missing or altered", 4, False, MEND_TABLES),
    ("A policy that is not the platform's lets the role see more", 5, True, "Drop that policy."),
)
SHOWN = 5


@dataclass(frozen=True)
class Gap:
    """One way round the second wall, and how to close it."""

    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.what} {self.mend}"


def gaps() -> list[Gap]:
    """Return every way by which this connection could see another tenant's rows; none on SQLite.

    Tables that are not there yet are no gap: the migrations make them with their policies.
    """
    if connection.vendor != "postgresql":
        return []
    return _gaps_of_role() or _gaps_of_tables()


def refuse_gaps() -> None:
    """Raise ImproperlyConfigured where, outside DEBUG, the database would not hold tenants apart."""
    if settings.DEBUG:
        return
    found = gaps()
    connection.close()  # the server forks: no process may inherit this connection
    if found:
        raise ImproperlyConfigured("The platform does not start: " + " ".join(str(gap) for gap in found))


def _gaps_of_role() -> list[Gap]:
    with connection.cursor() as cursor:
        cursor.execute(ROLE)
        name, superuser, bypasses = cursor.fetchone()
    if superuser:
        return [
            Gap(
                f"The role {name} is a superuser, or may become one: no policy holds it.",
                USE_APPLICATION_ROLE,
            )
        ]
    if bypasses:
        return [Gap(f"The role {name} may pass by the policies (BYPASSRLS).", USE_APPLICATION_ROLE)]
    return []


def _gaps_of_tables() -> list[Gap]:
    tables = [model._meta.db_table for model in tenant_models()]
    with connection.cursor() as cursor:
        cursor.execute(TABLES, {"tables": tables, "policy": POLICY, "setting": SETTING})
        rows = cursor.fetchall()
    found = [
        Gap(f"{what}: {_named(hit, len(rows))}.", mend)
        for what, column, bad, mend in FINDINGS
        if (hit := [row[0] for row in rows if row[column] is bad])
    ]
    # An owner may do everything: what else it may says nothing more.
    return found[:1] if found and found[0].what.startswith(OWNS) else found


def _named(tables: list[str], of: int) -> str:
    if len(tables) == of:
        return "all of them"
    more = f" and {len(tables) - SHOWN} more" if len(tables) > SHOWN else ""
    return ", ".join(tables[:SHOWN]) + more
