"""Let somebody in again who was locked out after wrong passwords or codes."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.identity.services.lockouts import find_account, unlock_account
from mlplatform.management.base import PlatformCommand


class Command(PlatformCommand):
    """Unlocks an account."""

    help = "Unlock an account that was locked after too many wrong passwords or codes."
    example = "python manage.py unlock_account --email ann@clinic.example"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the command's options."""
        parser.add_argument("--email", required=True, help="The account's address.")

    def run(self, **options: Any) -> Any:
        """Unlock the account and return from where it was locked."""
        user = find_account(options["email"])
        return {"account": user.email, "was_locked_for": unlock_account(user=user, by=self.actor)}
