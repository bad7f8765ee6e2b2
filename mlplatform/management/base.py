"""The base of every command that works for a tenant."""

import getpass
import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError, connection
from django.db.migrations.recorder import MigrationRecorder
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mlplatform.errors import PlatformError
from mlplatform.tenancy.actors import Actor, ActorKind
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.request_context import accepted_request_id, request_context
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.tenants import find_tenant


class PlatformCommand(BaseCommand):
    """A command with an example in its help, ``--json``, and errors as plain sentences (exit code 1).

    Subclasses set ``help`` and ``example`` and implement ``run``.
    """

    example = ""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Show the example below the options."""
        kwargs.setdefault("epilog", f"example:\n  {self.example}")
        kwargs.setdefault("formatter_class", RawDescriptionHelpFormatter)
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options that every command has, then the command's own."""
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")
        self.add_options(parser)

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the command's own options."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, print the result, and turn expected failures into CommandError."""
        try:
            with request_context(request_id=accepted_request_id(None), address=None):
                result = self.run(**options)
        except PlatformError as error:
            fields = f"\n{json.dumps(error.fields, indent=2, default=str)}" if error.fields else ""
            raise CommandError(f"{error.detail}{fields}") from error
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        except (OperationalError, ProgrammingError) as error:
            if not MigrationRecorder(connection).has_table():
                sentence = "The database has no tables yet. Make them with: python manage.py migrate"
                raise CommandError(sentence) from error
            raise
        if result is None:
            return
        if options["json"]:
            self.stdout.write(json.dumps(result, indent=2, default=as_json))
        else:
            self.show(result)

    def run(self, **options: Any) -> Any:
        """Do the work and return a JSON-ready result, or None."""
        raise NotImplementedError

    def show(self, result: Any) -> None:
        """Print the result for people: a list of rows as a table, anything else line by line."""
        console = Console(file=sys.stdout if self.stdout.isatty() else self.stdout, width=None)  # type: ignore[arg-type]  # Django's wrapper writes text
        if isinstance(result, list):
            console.print(rows_table(result) if result else "Nothing to show.")
        elif isinstance(result, dict):
            for name, value in result.items():
                _show_field(console, name, value)
        else:
            console.print(as_text(result), highlight=False)

    @property
    def actor(self) -> Actor:
        """The operating-system account that runs the command."""
        return Actor(ActorKind.COMMAND, f"{getpass.getuser()}: {type(self).__module__.rpartition('.')[2]}")


class TenantCommand(PlatformCommand):
    """A command that works for one tenant, named by ``--tenant``."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Add ``--tenant``, which has no default on purpose."""
        parser.add_argument("--tenant", required=True, metavar="SLUG", help="The tenant's short name.")
        super().add_arguments(parser)

    def run(self, **options: Any) -> Any:
        """Enter the tenant's scope and run."""
        tenant: Tenant = find_tenant(options["tenant"])
        with tenant_scope(tenant):
            return self.run_for_tenant(**options)

    def run_for_tenant(self, **options: Any) -> Any:
        """Do the work in the tenant's scope and return a JSON-ready result, or None."""
        raise NotImplementedError


def rows_table(rows: list[dict[str, Any]]) -> Table:
    """Return a table with a column for each key of the first row."""
    table = Table(show_edge=False)
    for name in rows[0]:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else as_text(value) for value in row.values()))
    return table


def _show_field(console: Console, name: str, value: Any) -> None:
    if isinstance(value, dict) and value:
        console.print(f"[bold]{name}[/bold]:")
        for key, item in value.items():
            console.print(f"  {escape(str(key))}: {as_text(item)}", highlight=False)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        console.print(f"[bold]{name}[/bold]:", rows_table(value), sep="\n")
    else:
        console.print(f"[bold]{name}[/bold]: {as_text(value)}", highlight=False)


def as_text(value: object) -> str:
    """Return a value in words for the terminal; brackets in people's names are no colours."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | set | dict):
        return escape(", ".join(map(str, value))) or "none"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if isinstance(value, float):
        return f"{value:.4g}"
    return escape(str(value))


def as_json(value: object) -> str:
    """Return what JSON has no form for as text: times in ISO 8601 and UTC, as the API writes them."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)
