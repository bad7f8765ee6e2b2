"""The roles of PostgreSQL, and what each may do, as SQL that can be run again and again.

The owner migrates and owns every table. The application serves: it reads and writes rows that the policies
show it, and nothing else. Operations sees everything and changes nothing: it makes the back-ups.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from mlplatform.tenancy.rls import walling
from mlplatform.tenancy.walls import tenant_models

SCHEMA = "public"
# Tables with a policy for the owner alone, so that its functions can look up a key or a membership.
LOOKUP_TABLES = ("tenancy_apikey", "tenancy_membership")
APPEND_ONLY = ("tenancy_auditevent",)
# Written by migrations alone.
OWNERS_TABLES = ("django_migrations",)


@dataclass(frozen=True)
class Roles:
    """The three roles' names."""

    owner: str
    application: str
    operations: str

    @classmethod
    def named(cls, prefix: str) -> "Roles":
        """Return the roles whose names begin with the prefix, which must be a plain word."""
        if not prefix.isidentifier() or not prefix.islower():
            raise ValueError(f"{prefix!r} cannot begin a role's name.")
        return cls(f"{prefix}_owner", f"{prefix}_app", f"{prefix}_ops")


def role_statements(roles: Roles) -> Iterator[str]:
    """Yield what makes the roles of the whole cluster, and sets their attributes straight."""
    plain = "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION"
    wanted = {
        roles.owner: plain,
        roles.application: plain,
        roles.operations: plain.replace("NOBYPASSRLS", "BYPASSRLS"),
    }
    for role, attributes in wanted.items():
        # Two set-ups may run at once on one cluster, and a role that is as wanted is not touched.
        yield (
            f"DO $$ BEGIN CREATE ROLE {role} {attributes}; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
        bypass = "false" if "NOBYPASSRLS" in attributes else "true"
        yield (
            f"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}' AND "  # own names
            f"(rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls <> {bypass})) "
            f"THEN ALTER ROLE {role} {attributes}; END IF; END $$"
        )


def privilege_statements(roles: Roles) -> Iterator[str]:
    """Yield what gives the roles their rights in the present database, on tables of now and of later.

    The policies of the tables that are there are put up again, should somebody have taken one down.
    """
    owner, app, ops = roles.owner, roles.application, roles.operations
    yield f"REVOKE ALL ON SCHEMA {SCHEMA} FROM PUBLIC"
    yield f"GRANT USAGE, CREATE ON SCHEMA {SCHEMA} TO {owner}"
    yield f"GRANT USAGE ON SCHEMA {SCHEMA} TO {app}, {ops}"
    yield _hand_over(owner)
    for where in (f"IN SCHEMA {SCHEMA}", None):
        all_of = f"ALL {{}} IN SCHEMA {SCHEMA}" if where is None else "{}"
        begin = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} {where} " if where else ""
        yield f"{begin}REVOKE ALL ON {all_of.format('TABLES')} FROM PUBLIC, {app}, {ops}"
        yield f"{begin}GRANT SELECT, INSERT, UPDATE, DELETE ON {all_of.format('TABLES')} TO {app}"
        yield f"{begin}GRANT SELECT ON {all_of.format('TABLES')} TO {ops}"
        yield f"{begin}GRANT USAGE, SELECT ON {all_of.format('SEQUENCES')} TO {app}"
        yield f"{begin}GRANT SELECT ON {all_of.format('SEQUENCES')} TO {ops}"
        yield f"{begin}GRANT EXECUTE ON {all_of.format('FUNCTIONS')} TO {app}"
    for model in tenant_models():
        yield _where_exists(model._meta.db_table, walling(model._meta.db_table))
    for table in LOOKUP_TABLES:
        yield _where_exists(table, _OWNERS_VIEW.format(table=table, owner=owner))
    for table in APPEND_ONLY:
        yield _where_exists(table, f"REVOKE UPDATE, DELETE ON {table} FROM {app}")
    for table in OWNERS_TABLES:
        yield _where_exists(table, f"REVOKE INSERT, UPDATE, DELETE ON {table} FROM {app}")


# A migration that is not applied yet makes it itself.
_OWNERS_VIEW = (
    "IF EXISTS (SELECT FROM pg_policies WHERE tablename = '{table}' AND policyname = 'before_tenant') "
    "THEN ALTER POLICY before_tenant ON {table} TO {owner}; END IF"
)


def _hand_over(owner: str) -> str:
    """Make the owner own whatever an earlier migration, run by another role, has made."""
    return f"""DO $$ DECLARE thing record; BEGIN
        FOR thing IN SELECT c.oid::regclass AS name FROM pg_class c
            WHERE c.relnamespace = '{SCHEMA}'::regnamespace AND c.relkind IN ('r', 'p', 'v')
            AND c.relowner <> '{owner}'::regrole
        LOOP EXECUTE format('ALTER TABLE %s OWNER TO {owner}', thing.name); END LOOP;
        FOR thing IN SELECT p.oid::regprocedure AS name FROM pg_proc p
            WHERE p.pronamespace = '{SCHEMA}'::regnamespace AND p.proowner <> '{owner}'::regrole
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
        LOOP EXECUTE format('ALTER FUNCTION %s OWNER TO {owner}', thing.name); END LOOP;
    END $$"""  # noqa: S608  # our own names


def _where_exists(table: str, statement: str) -> str:
    return f"DO $$ BEGIN IF to_regclass('{SCHEMA}.{table}') IS NOT NULL THEN {statement}; END IF; END $$"
