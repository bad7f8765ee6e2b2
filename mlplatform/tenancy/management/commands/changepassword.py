"""Change somebody's password; takes the place of Django's command, which leaves no trace."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import PlatformCommand
from mlplatform.tenancy.management.passwords import VARIABLE, asked_password
from mlplatform.tenancy.services.platform_accounts import change_password


class Command(PlatformCommand):
    """Changes a password."""

    help = (
        "Change an account's password and end its sessions. The audit trail of each of its tenants tells "
        f"of it. The password is asked for, or read from {VARIABLE}."
    )
    example = "python manage.py changepassword ann@clinic.example"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the command's options."""
        parser.add_argument("email", help="The account's address.")

    def run(self, **options: Any) -> Any:
        """Change the password."""
        user = change_password(email=options["email"], password=asked_password(), by=self.actor)
        return {"password changed": user.email}
