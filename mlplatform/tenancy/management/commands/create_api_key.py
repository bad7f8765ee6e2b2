"""Create an API key."""

from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from mlplatform.management.base import TenantCommand
from mlplatform.tenancy.models import Scope
from mlplatform.tenancy.services.api_keys import CreatedKey, create_api_key


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
        parser.add_argument(
            "--models", nargs="+", default=[], metavar="NAME", help="The models it may use; all if left out."
        )
        life = parser.add_mutually_exclusive_group()
        life.add_argument("--days", type=int, help="Days until the key expires; never where left out.")
        life.add_argument("--expires", type=moment, help="When it expires, for example 2027-01-31T12:00Z.")
        parser.add_argument(
            "--requests-per-minute", type=int, metavar="N", help="As many as the tenant's where left out."
        )

    def run_for_tenant(self, **options: Any) -> Any:
        """Create the key and return it with its secret."""
        days = options["days"]
        made = create_api_key(
            name=options["name"],
            scopes=options["scopes"],
            models=options["models"],
            by=self.actor,
            expires_at=options["expires"] if days is None else timezone.now() + timedelta(days=days),
            requests_per_minute=options["requests_per_minute"],
        )
        return shown_once(made)


def moment(text: str) -> datetime:
    """Return the time that the text tells, in UTC where it names no zone; raises ValueError."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def shown_once(made: CreatedKey) -> dict[str, Any]:
    """Return a new key as the commands print it, with its secret."""
    key = made.key
    return {
        "name": key.name,
        "scopes": key.scopes,
        "models": key.model_names or "all",
        "expires_at": key.expires_at,
        "key": made.secret,
    }
