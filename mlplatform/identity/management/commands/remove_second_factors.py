"""Take the second factors from an account whose owner lost them."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.identity.services.lockouts import find_account
from mlplatform.identity.services.second_factors import remove_second_factors
from mlplatform.management.base import PlatformCommand


class Command(PlatformCommand):
    """Removes authenticator app, passkeys and recovery codes."""

    help = "Remove all second factors of an account whose owner lost them, and end its sessions."
    example = "python manage.py remove_second_factors --email ann@clinic.example"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the command's options."""
        parser.add_argument("--email", required=True, help="The account's address.")

    def run(self, **options: Any) -> Any:
        """Remove them."""
        user = find_account(options["email"])
        remove_second_factors(user=user, by=self.actor)
        return {"account": user.email, "second_factors": "removed"}
