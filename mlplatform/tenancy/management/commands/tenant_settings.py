"""Show and change a tenant's settings."""

from argparse import ArgumentParser, BooleanOptionalAction
from typing import Any

from django.db.models import BooleanField, IntegerField

from mlplatform.management.base import TenantCommand
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import current_tenant
from mlplatform.tenancy.services.settings import SETTINGS, change_settings


class Command(TenantCommand):
    """Shows and changes a tenant's settings."""

    help = "Show a tenant's settings, after changing those that are named."
    example = "python manage.py tenant_settings --tenant north-clinic --require-second-factor"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add a switch and its opposite, or an option with a value, for each setting."""
        for name in SETTINGS:
            column = Tenant._meta.get_field(name)
            switch = isinstance(column, BooleanField)
            number: dict[str, Any] = {"type": int} if isinstance(column, IntegerField) else {}
            parser.add_argument(
                f"--{name.replace('_', '-')}",
                action=BooleanOptionalAction if switch else "store",
                **number,
                help=str(column.help_text).replace("%", "%%"),  # type: ignore[union-attr]  # a column
            )

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Change what is named, and return all settings."""
        changes = {name: options[name] for name in SETTINGS if options[name] is not None}
        tenant = change_settings(changes=changes, by=self.actor) if changes else current_tenant()
        return {name: getattr(tenant, name) for name in SETTINGS}
