"""Rotate an API key."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from mlplatform.tenancy.management.commands.create_api_key import shown_once
from mlplatform.tenancy.services.api_keys import (
    LONGEST_OVERLAP_HOURS,
    OVERLAP_HOURS,
    find_api_key,
    rotate_api_key,
)


class Command(TenantCommand):
    """Rotates an API key."""

    help = "Replace an API key by a new one of the same rights. The old key works on for the overlap."
    example = "python manage.py rotate_api_key --tenant clinic --prefix mlp_Ab3dEf7h --overlap-hours 48"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the command's options."""
        parser.add_argument(
            "--prefix", required=True, help="What the key begins with: mlp_ and 8 characters."
        )
        parser.add_argument(
            "--overlap-hours",
            type=int,
            default=OVERLAP_HOURS,
            help=f"Hours for which both work, 0 to {LONGEST_OVERLAP_HOURS} (default {OVERLAP_HOURS}).",
        )

    def run_for_tenant(self, **options: Any) -> Any:
        """Rotate the key and return its successor with the secret."""
        old = find_api_key(options["prefix"])
        made = rotate_api_key(key=old, by=self.actor, overlap_hours=options["overlap_hours"])
        return {**shown_once(made), "old_key_works_until": old.expires_at}
