"""Prove that the audit trail is whole."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError

from mlplatform.errors import InvalidInput
from mlplatform.management.base import PlatformCommand
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.audit_chain import BrokenLink, Verdict, verify_chain
from mlplatform.tenancy.services.tenants import find_tenant


class Command(PlatformCommand):
    """Verifies the audit trail."""

    help = (
        "Walk the audit trail from its first entry to its last and name the first broken link (exit code 1)."
    )
    example = "python manage.py verify_audit --tenant clinic --anchor 1200:9f86d081..."

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the command's options."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--tenant", metavar="SLUG", help="The tenant's short name.")
        which.add_argument("--all-tenants", action="store_true", help="Every tenant, one after the other.")
        parser.add_argument(
            "--anchor",
            action="append",
            default=[],
            metavar="NUMBER:HASH",
            help="A link that an earlier run printed and you kept elsewhere (with --tenant; repeatable).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the verdicts, then fail where a trail is broken."""
        self.verdicts: list[Verdict] = []
        super().handle(*args, **options)
        broken = [_sentence(verdict, verdict.broken) for verdict in self.verdicts if verdict.broken]
        if broken:
            raise CommandError("\n".join(broken))

    def run(self, **options: Any) -> Any:
        """Verify and return what was found for each tenant."""
        anchors = dict(_anchor(text) for text in options["anchor"])
        if anchors and options["all_tenants"]:
            raise InvalidInput("An anchor belongs to one tenant. Name it with --tenant.")
        tenants = list(Tenant.objects.all()) if options["all_tenants"] else [find_tenant(options["tenant"])]
        for tenant in tenants:
            with tenant_scope(tenant):
                self.verdicts.append(verify_chain(anchors=anchors))
        return [_shown(verdict) for verdict in self.verdicts]


def _shown(verdict: Verdict) -> dict[str, Any]:
    broken = asdict(verdict.broken) if verdict.broken else None
    anchor = f"{verdict.events}:{verdict.hash}"
    return {"tenant": verdict.tenant, "whole": broken is None, "anchor": anchor, "broken": broken}


def _sentence(verdict: Verdict, broken: BrokenLink) -> str:
    row = f" (row {broken.event_id})" if broken.event_id else ""
    return (
        f"The audit trail of {verdict.tenant} is broken at entry {broken.sequence}{row}: {broken.problem}. "
        f"{verdict.events} entries before it are whole. Compare with a back-up or an export."
    )


def _anchor(text: str) -> tuple[int, str]:
    number, _, digest = text.partition(":")
    if not number.isdecimal() or not digest:
        raise InvalidInput(f"{text!r} is no anchor. Write it as NUMBER:HASH, as this command prints it.")
    return int(number), digest
