"""Show and set what a tenant may use."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from mlplatform.tenancy.limits import KINDS, NAMES
from mlplatform.tenancy.scope import current_tenant, tenant_scope
from mlplatform.tenancy.services.limits import limits_in_use, set_limits
from mlplatform.tenancy.services.usage import recount


class Command(TenantCommand):
    """Shows and sets a tenant's limits."""

    help = "Show a tenant's limits and what is used of them, after setting those that are named."
    example = "python manage.py set_limits --tenant clinic --requests-per-minute 600 --stored-rows 1000000"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add an option for each limit, and the two that stand for several."""
        for kind in KINDS:
            parser.add_argument(
                f"--{kind.name.replace('_', '-')}", type=int, metavar="N", help=f"{kind.title}. {kind.help}"
            )
        parser.add_argument(
            "--default", nargs="+", choices=NAMES, default=[], help="Limits that follow the settings again."
        )
        parser.add_argument(
            "--recount", action="store_true", help="Count what is stored row by row, and mend the figures."
        )

    def run_for_tenant(self, **options: Any) -> Any:
        """Set what is named, recount where asked, and return the limits."""
        chosen = {name: options[name] for name in NAMES if options[name] is not None}
        changes = chosen | dict.fromkeys(options["default"])
        tenant = current_tenant()
        if changes:
            tenant = set_limits(tenant=tenant, changes=changes, by=self.actor)
        drift = recount(by=self.actor) if options["recount"] else {}
        with tenant_scope(tenant):
            return [
                {
                    "name": one.kind.name,
                    "limit": one.limit,
                    "used": one.used,
                    "own": one.own,
                    **({"was_off_by": -drift.get(one.kind.name, 0)} if drift else {}),
                }
                for one in limits_in_use()
            ]
