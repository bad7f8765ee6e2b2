"""Django's shell, with a warning: what is done in it leaves no entry by itself."""

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import shell

WARNING = (
    "Changes made in this shell are in no audit trail unless you call the platform's services. "
    "Prefer the console, the API or a command."
)


class Command(shell.Command):
    """Warns, then opens Django's shell."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Show an example and the warning below the options."""
        epilog = f"example:\n  python manage.py shell\n\n{WARNING}"
        return super().create_parser(
            prog_name, subcommand, epilog=epilog, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def handle(self, **options: Any) -> None:
        """Open the shell."""
        self.stderr.write(self.style.WARNING(WARNING))
        super().handle(**options)
