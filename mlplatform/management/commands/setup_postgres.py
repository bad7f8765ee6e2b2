"""manage.py setup_postgres: the roles of PostgreSQL that keep tenants apart."""

import secrets
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.db import DatabaseError, connection, transaction

from mlplatform.errors import Conflict, InvalidInput, NotAllowed
from mlplatform.management.base import PlatformCommand
from mlplatform.tenancy.roles import Roles, privilege_statements, role_statements


class Command(PlatformCommand):
    """Prints or applies the roles."""

    help = (
        "Print the SQL of the three roles (owner, application, operations) with their rights, or apply it. "
        "Run it as a superuser, before the first migrate or at any time later, as often as you like."
    )
    example = "python manage.py setup_postgres --apply"
    requires_system_checks = []

    def add_options(self, parser: ArgumentParser) -> None:
        """Add what to do."""
        parser.add_argument("--apply", action="store_true", help="Run the SQL instead of printing it.")
        parser.add_argument("--prefix", default="mlplatform", help="How the roles' names begin.")
        parser.add_argument(
            "--new-passwords", action="store_true", help="Give new passwords to roles that have one, too."
        )

    def run(self, **options: Any) -> dict[str, str] | None:
        """Print the SQL, or run it and return the new passwords, which are shown this once."""
        if connection.vendor != "postgresql":
            raise Conflict("The database is not PostgreSQL. Set DATABASE_URL to postgresql://...")
        try:
            roles = Roles.named(options["prefix"])
        except ValueError as error:
            raise InvalidInput(f"{error} Use lower-case letters, digits and underscores.") from error
        passwords = new_passwords(roles, every=options["new_passwords"])
        statements = [*role_statements(roles), *password_statements(passwords), *privilege_statements(roles)]
        if not options["apply"]:
            self.stdout.write("".join(f"{statement};\n" for statement in statements))
            return None
        apply(statements)
        return passwords or {"result": "The roles and their rights are as they should be."}


def new_passwords(roles: Roles, *, every: bool) -> dict[str, str]:
    """Return a random password for each role that has none yet, or for every role."""
    names = [roles.owner, roles.application, roles.operations]
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [names])
        known = set() if every else {name for (name,) in cursor.fetchall()}
    return {name: secrets.token_urlsafe(24) for name in names if name not in known}


def password_statements(passwords: dict[str, str]) -> Iterator[str]:
    """Yield what sets the passwords."""
    for role, password in passwords.items():
        yield f"ALTER ROLE {role} PASSWORD '{password}'"  # both of our own making: letters, digits, - and _


def apply(statements: list[str]) -> None:
    """Run the statements in one transaction; raises NotAllowed where the role may not."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    except DatabaseError as error:
        raise NotAllowed(
            f"PostgreSQL refused: {str(error).strip()}. Connect as a superuser, or print the SQL (leave out "
            "--apply) and have it run by one."
        ) from error
