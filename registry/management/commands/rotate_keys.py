"""New keys for what is stored, with no downtime."""

import sys
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.utils import timezone
from rich.console import Console
from rich.progress import Progress

from mlplatform.errors import Conflict
from mlplatform.identity.services.second_factors import reseal_second_factors
from mlplatform.management.base import PlatformCommand
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.data_keys import rewrap_keys
from mlplatform.tenancy.services.sealed_texts import reseal_columns
from mlplatform.tenancy.services.tenants import find_tenant
from registry.services.key_rotation import WRITES_END_WITHIN, Rotation, rotate_data_key

MINUTES = int(WRITES_END_WITHIN.total_seconds() // 60)


class Command(PlatformCommand):
    """Rotates data keys, or wraps them under a new master key."""

    help = (
        "Give a tenant a new data key and seal its files anew while everything goes on running; files that "
        "an older release left in the clear are sealed, too. Stopped at any point, it goes on when run "
        "again. With --master, wrap the data keys under the first of ML_MASTER_KEYS instead: no file changes."
    )
    example = "python manage.py rotate_keys --tenant clinic"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the command's options."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--tenant", metavar="SLUG", help="The tenant's short name.")
        which.add_argument("--all-tenants", action="store_true", help="Every tenant, one after the other.")
        parser.add_argument("--master", action="store_true", help="Only wrap the data keys anew.")
        parser.add_argument("--dry-run", action="store_true", help="Tell what would be done, and do nothing.")
        parser.add_argument(
            "--writes-end-within",
            type=int,
            default=MINUTES,
            metavar="MINUTES",
            help="Keep a retired key this long, for writes that are under way (default: %(default)s).",
        )

    def run(self, **options: Any) -> list[dict[str, Any]]:
        """Rotate, and return what was done for each tenant; raises Conflict where a file is damaged."""
        tenants = list(Tenant.objects.all()) if options["all_tenants"] else [find_tenant(options["tenant"])]
        rotate = self._rewrap if options["master"] else self._rotate
        results = []
        for tenant in tenants:
            with tenant_scope(tenant):
                results.append(rotate(tenant, options))
        if options["master"] and options["all_tenants"]:
            count = reseal_second_factors(dry_run=options["dry_run"])
            results.append({"tenant": "(accounts)", "keys_wrapped_anew": count})
        damaged = [path for result in results for path in result.get("damaged", [])]
        if damaged:
            raise Conflict(
                f"{len(damaged)} files do not open and were left as they are: {', '.join(damaged[:5])}. "
                "Restore them from a back-up and run this again. Everything else was sealed."
            )
        return results

    def _rewrap(self, tenant: Tenant, options: dict[str, Any]) -> dict[str, Any]:
        count = rewrap_keys(by=self.actor, dry_run=options["dry_run"])
        return {"tenant": tenant.slug, "keys_wrapped_anew": count}

    def _rotate(self, tenant: Tenant, options: dict[str, Any]) -> dict[str, Any]:
        with Progress(console=Console(file=sys.stderr), disable=not sys.stderr.isatty()) as bar:
            task = bar.add_task(tenant.slug, total=None)
            done: Rotation = rotate_data_key(
                by=self.actor,
                dry_run=options["dry_run"],
                on_progress=lambda number, total: bar.update(task, completed=number, total=total),
                writes_end_within=timedelta(minutes=options["writes_end_within"]),
            )
        resealed = reseal_columns(
            by=self.actor,
            kept_since=timezone.now() - timedelta(minutes=options["writes_end_within"]),
            dry_run=options["dry_run"],
        )
        return {**asdict(done), "credentials_sealed_anew": resealed.credentials}
