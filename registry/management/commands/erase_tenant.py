"""The end of a tenant."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.forms import model_to_dict

from mlplatform.errors import InvalidInput
from mlplatform.management.base import PlatformCommand
from mlplatform.tenancy.models import Erasure
from mlplatform.tenancy.services.tenants import find_tenant
from registry.services.tenant_erasure import erase_tenant, survey


class Command(PlatformCommand):
    """Erases a tenant, or tells what that would delete."""

    help = (
        "Tell what erasing a tenant would delete; with --yes-erase and its short name once more, delete it: "
        "all rows, files and keys, the audit trail, and the accounts that belong to no other tenant. What is "
        "left is a receipt. On PostgreSQL, run it as the owner of the tables."
    )
    example = "python manage.py erase_tenant --tenant clinic"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the command's options."""
        parser.add_argument("--tenant", metavar="SLUG", help="The tenant's short name.")
        parser.add_argument("--yes-erase", metavar="SLUG", help="The short name once more: really do it.")
        parser.add_argument("--receipts", action="store_true", help="List what was erased so far.")

    def run(self, **options: Any) -> Any:
        """Survey, erase, or list the receipts."""
        if options["receipts"]:
            return [{**_shown(one), "rows": sum(one.rows.values())} for one in Erasure.objects.all()]
        if not options["tenant"]:
            raise InvalidInput("Say which tenant: --tenant SLUG.")
        tenant = find_tenant(options["tenant"])
        if options["yes_erase"] is None:
            sentence = f"Nothing was deleted. To erase it: --yes-erase {tenant.slug}"
            return {**asdict(survey(tenant)), "result": sentence}
        receipt = erase_tenant(
            tenant=tenant, confirmed=options["yes_erase"], by=self.actor, say=self.stderr.write
        )
        return _shown(receipt)


def _shown(receipt: Erasure) -> dict[str, Any]:
    return {"erased_at": receipt.erased_at, **model_to_dict(receipt, exclude=["id"])}
