"""Create an API key."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.utils import timezone

from mlplatform.management.base import TenantCommand
from mlplatform.tenancy.models import Scope
from mlplatform.tenancy.services.api_keys import create_api_key


class Command(TenantCommand):
    """Creates an API key."""

    help = "Create an API key for a tenant. The secret is shown once and not stored."
    example = "python manage.py create_api_key --tenant clinic --name laboratory --scopes read predict"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the command's options."""
        parser.add_argument("--name", required=True, help="Who uses the key.")
        parser.add_argument(
            "--scopes", nargs="+", required=True, choices=Scope.values, help="What the key may be used for."
        )
        parser.add_argument("--days", type=int, help="Days until the key expires; never where left out.")

    def run_for_tenant(self, **options: Any) -> Any:
        """Create the key and return it with its secret."""
        days = options["days"]
        expires_at = None if days is None else timezone.now() + timedelta(days=days)
        made = create_api_key(
            name=options["name"], scopes=options["scopes"], by=self.actor, expires_at=expires_at
        )
        key = made.key
        return {"name": key.name, "scopes": key.scopes, "expires_at": expires_at, "key": made.secret}
