"""Suspicious feedback from the command line."""

from argparse import ArgumentParser
from typing import Any

from feedback.models import Quarantine
from feedback.services.quarantines import (
    find_quarantine,
    labels_in,
    open_quarantines,
    quarantines_overview,
    reject,
    release,
)
from mlplatform.management.base import TenantCommand

SHOWN = 200


class Command(TenantCommand):
    """Lists what was set aside, and decides about it."""

    help = "List the feedback that was set aside as suspicious; show one, release it, or reject it."
    example = 'python manage.py quarantines --tenant clinic --reject 3 --reason "The key was stolen."'

    def add_options(self, parser: ArgumentParser) -> None:
        """Add what to do, and why."""
        doing = parser.add_mutually_exclusive_group()
        doing.add_argument("--show", type=int, metavar="ID", help="Show this one.")
        doing.add_argument("--release", type=int, metavar="ID", help="Let its labels count.")
        doing.add_argument("--reject", type=int, metavar="ID", help="Keep its labels as history alone.")
        doing.add_argument("--all", action="store_true", help="List those that are decided as well.")
        parser.add_argument("--reason", default="", help="Why; needed to decide.")

    def run_for_tenant(self, **options: Any) -> Any:
        """Do what was asked for, and return the quarantine, or the list."""
        if options["show"] is not None:
            return _told(find_quarantine(options["show"]))
        for word, act in (("release", release), ("reject", reject)):
            if options[word] is not None:
                case = find_quarantine(options[word])
                return _told(act(case=case, reason=options["reason"], by=self.actor))
        found = quarantines_overview() if options["all"] else open_quarantines()
        return [_line(case) for case in found[:SHOWN]]


def _line(case: Quarantine) -> dict[str, Any]:
    return {
        "id": case.pk,
        "model": case.model.name,
        "sender": case.sender,
        "labels": case.labels,
        "reason": case.reason,
        "state": case.state,
    }


def _told(case: Quarantine) -> dict[str, Any]:
    return {
        **_line(case),
        "since": case.since,
        "numbers": case.numbers,
        "which": dict(labels_in(case)),
        "decided_by": case.decided_by,
        "decision": case.decision,
    }
