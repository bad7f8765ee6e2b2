"""The second wall, on PostgreSQL: constraints that hold a tenant's rows apart inside the database.

Every tenant table gets them by itself (see ``walls.py``), and ``makemigrations`` sees them like any other
constraint of a model's Meta. On SQLite they are nothing at all.
"""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddConstraint, RunSQL
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

SETTING = "app.tenant_id"
POLICY = "tenant_isolation"
# The sub-select is planned once per statement, not once per row. A setting that was made for an earlier
# transaction of the same connection reads as '', not as NULL: hence nullif.
VISIBLE = f"tenant_id = (SELECT nullif(current_setting('{SETTING}', true), '')::bigint)"  # constants


class PostgresConstraint(models.BaseConstraint):
    """A constraint that is made on PostgreSQL only, and that no form needs to check."""

    def constraint_sql(self, model: Any, schema_editor: Any) -> str:
        """Return what belongs into CREATE TABLE: nothing; the constraint is made once the table stands."""
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.deferred_sql.append(self.create_statement(model, schema_editor))
        return ""

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        """Return the statements that add the constraint to a table that stands; nothing on SQLite."""
        if schema_editor.connection.vendor != "postgresql":
            return ""
        return self.create_statement(model, schema_editor)

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        """Return the statements that take the constraint away; nothing on SQLite."""
        if schema_editor.connection.vendor != "postgresql":
            return ""
        return self.remove_statement(model, schema_editor)

    def create_statement(self, model: Any, schema_editor: Any) -> str:
        """Return the SQL for PostgreSQL."""
        raise NotImplementedError

    def remove_statement(self, model: Any, schema_editor: Any) -> str:
        """Return the SQL for PostgreSQL that undoes it."""
        table, name = _table(model, schema_editor), self._quoted(schema_editor)
        return f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}"

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: str = "") -> None:
        """Accept: links across the wall are refused by ``TenantModel.clean``."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PostgresConstraint):
            return NotImplemented
        return self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash(self.name)

    def _quoted(self, schema_editor: Any) -> str:
        return str(schema_editor.quote_name(self.name))


class RowLevelSecurity(PostgresConstraint):
    """Shows and takes rows of the transaction's tenant only; without a tenant there are none.

    Forced, so that the table's owner is no exception.
    """

    def create_statement(self, model: Any, schema_editor: Any) -> str:
        """Return the SQL that switches the policies on and makes the one policy, for all commands."""
        return walling(_table(model, schema_editor))

    def remove_statement(self, model: Any, schema_editor: Any) -> str:
        """Return the SQL that takes the policy down."""
        table = _table(model, schema_editor)
        return (
            f"DROP POLICY {POLICY} ON {table}; ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY; "
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"
        )


def walling(table: str) -> str:
    """Return the SQL that puts a table under the policy, whatever was there of it before."""
    return (
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY; "
        f"DROP POLICY IF EXISTS {POLICY} ON {table}; "
        f"CREATE POLICY {POLICY} ON {table} USING ({VISIBLE}) WITH CHECK ({VISIBLE})"
    )


class TenantKey(PostgresConstraint):
    """Makes tenant and primary key together unique, so that links to the row can name both."""

    def constraint_sql(self, model: Any, schema_editor: Any) -> str:
        """Return the clause for CREATE TABLE: links made in the same migration need it at once."""
        if schema_editor.connection.vendor != "postgresql":
            return ""
        return f"CONSTRAINT {self._quoted(schema_editor)} UNIQUE (tenant_id, {_key(model, schema_editor)})"

    def create_statement(self, model: Any, schema_editor: Any) -> str:
        """Return the SQL that adds the constraint."""
        clause = f"CONSTRAINT {self._quoted(schema_editor)} UNIQUE (tenant_id, {_key(model, schema_editor)})"
        return f"ALTER TABLE {_table(model, schema_editor)} ADD {clause}"

    def remove_statement(self, model: Any, schema_editor: Any) -> str:
        """Return the SQL that takes the key away, and with it the links that need it."""
        return f"{super().remove_statement(model, schema_editor)} CASCADE"


class SameTenant(PostgresConstraint):
    """A foreign key that names the tenant too, so that no row can point over the wall.

    PostgreSQL checks foreign keys without asking the policies: Django's own key alone would accept another
    tenant's row, and tell by accepting that it exists. Django's key stays, for SQLite and for its tools.
    """

    def __init__(self, *, field: str, name: str, **options: Any) -> None:
        super().__init__(name=name, **options)
        self.field = field

    def deconstruct(self) -> Any:
        """Return what a migration needs to make the constraint again."""
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "field": self.field}

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        """Leave the statement for the end of the migration, when the other table has its key."""
        return self.constraint_sql(model, schema_editor)

    def create_statement(self, model: Any, schema_editor: Any) -> str:
        """Return the SQL that adds the foreign key; like Django's own it is checked at the commit."""
        field = model._meta.get_field(self.field)
        other, column = field.related_model, schema_editor.quote_name(field.column)
        return (
            f"ALTER TABLE {_table(model, schema_editor)} ADD CONSTRAINT {self._quoted(schema_editor)} "
            f"FOREIGN KEY (tenant_id, {column}) REFERENCES {_table(other, schema_editor)} "
            f"(tenant_id, {_key(other, schema_editor)}) DEFERRABLE INITIALLY DEFERRED"
        )


class _OnPostgresOnly(Operation):
    """A step of a migration that does nothing on another database."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Take the step."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Take the step back."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class RunOnPostgres(_OnPostgresOnly, RunSQL):
    """Runs SQL that only PostgreSQL understands."""


class AddPostgresConstraint(_OnPostgresOnly, AddConstraint):
    """Adds a constraint of this module; unlike ``AddConstraint`` it does not rebuild the table on SQLite."""


def lookup_function(name: str, *, table: str, column: str, kind: str) -> Mapping[str, str]:
    """Return ``sql`` and ``reverse_sql`` of a function that finds rows before a tenant is known.

    It runs with the rights of the table's owner, whom the table's second policy lets read. It takes one value
    for one column, so nothing can be listed with it; its search path holds no schema that others write to.
    """
    return {
        "sql": f"""
            CREATE POLICY before_tenant ON {table} FOR SELECT TO CURRENT_USER USING (true);
            CREATE FUNCTION {name}(wanted {kind}) RETURNS SETOF {table}
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
                AS 'SELECT * FROM public.{table} WHERE {column} = wanted';
            REVOKE ALL ON FUNCTION {name}({kind}) FROM PUBLIC;
        """,  # noqa: S608  # constants of a migration
        "reverse_sql": f"DROP FUNCTION {name}({kind}); DROP POLICY before_tenant ON {table};",
    }


def revoke_from_others(privileges: str, *, table: str) -> Mapping[str, str]:
    """Return ``sql`` and ``reverse_sql`` that take the privileges from every role but the table's owner."""
    return {
        "sql": f"""
            DO $$ DECLARE other text; BEGIN
                FOR other IN SELECT DISTINCT pg_get_userbyid(acl.grantee)
                    FROM pg_class, aclexplode(relacl) AS acl
                    WHERE oid = '{table}'::regclass AND acl.grantee NOT IN (relowner, 0)
                LOOP EXECUTE format('REVOKE {privileges} ON {table} FROM %I', other); END LOOP;
            END $$;
        """,  # noqa: S608  # constants of a migration
        "reverse_sql": RunSQL.noop,
    }


def _table(model: Any, schema_editor: Any) -> str:
    return str(schema_editor.quote_name(model._meta.db_table))


def _key(model: Any, schema_editor: Any) -> str:
    return str(schema_editor.quote_name(model._meta.pk.column))
