"""Create a platform administrator; takes the place of Django's command, which leaves no trace."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import PlatformCommand
from mlplatform.tenancy.management.passwords import VARIABLE, asked_password
from mlplatform.tenancy.services.platform_accounts import create_platform_admin


class Command(PlatformCommand):
    """Creates a platform administrator."""

    help = (
        "Create an account that runs the installation and may work for every tenant. Each tenant's audit "
        f"trail tells of it. The password is asked for, or read from {VARIABLE}."
    )
    example = "python manage.py createsuperuser --email root@example.org"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the command's options."""
        parser.add_argument("--email", required=True, help="The address to sign in with.")

    def run(self, **options: Any) -> Any:
        """Create the account."""
        user = create_platform_admin(email=options["email"], password=asked_password(), by=self.actor)
        return {"platform administrator": user.email}
