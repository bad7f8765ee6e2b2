"""Does the database answer, and has it this release's tables?"""

from dataclasses import astuple

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from mlplatform.doctor.findings import Finding, fine, wrong
from mlplatform.tenancy.guard import gaps


def database_answers() -> Finding:
    """Ask the database for one value."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return wrong("Database", str(error).strip(), "Start the database, or correct DATABASE_URL.")
    return fine("Database", f"{connection.vendor} answers")


def migrations_applied() -> Finding:
    """Compare the applied migrations with those of this release."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return wrong("Migrations", f"unknown: {error}".strip(), "Mend the database first.")
    if missing:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in missing[:5])
        return wrong("Migrations", f"{len(missing)} not applied: {names}", "Run: python manage.py migrate")
    return fine("Migrations", "all are applied")


def tenants_apart() -> Finding:
    """Look whether the database keeps tenants apart, and whether the connected role is held by it."""
    if connection.vendor != "postgresql":
        return fine("Tenant wall", f"kept by the application alone: {connection.vendor} has no policies")
    try:
        found = gaps()
    except DatabaseError as error:
        return wrong("Tenant wall", f"unknown: {error}".strip(), "Mend the database first.")
    if found:
        seen, mend = (" ".join(dict.fromkeys(words)) for words in zip(*map(astuple, found), strict=True))
        return wrong("Tenant wall", seen, mend)
    return fine("Tenant wall", "the policies of every tenant table hold for the connected role")
