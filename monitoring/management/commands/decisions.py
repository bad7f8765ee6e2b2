"""Decisions of policies from the command line."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.errors import InvalidInput
from mlplatform.management.base import TenantCommand
from monitoring.models import RetrainingDecision
from monitoring.services.chains import Station, chain_of, decisions_overview, find_decision
from registry.services.models import find_model

SHOWN = 50


class Command(TenantCommand):
    """Lists a model's decisions, or tells the whole chain of one."""

    help = "List what a model's policy has decided, or tell one decision's chain from alert to deployment."
    example = "python manage.py decisions --tenant clinic --chain 7"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model, or the decision."""
        parser.add_argument("--model", metavar="NAME", help="List the newest decisions about this model.")
        parser.add_argument("--chain", type=int, metavar="ID", help="Tell this decision's chain.")

    def run_for_tenant(self, **options: Any) -> list[dict[str, Any]]:
        """Return the decisions, or the stations of the chain."""
        if (options["model"] is None) == (options["chain"] is None):
            raise InvalidInput("Name a model with --model, or a decision with --chain.")
        if options["chain"] is not None:
            return [_station(one) for one in chain_of(find_decision(options["chain"]))]
        model = find_model(options["model"])
        return [_line(one) for one in decisions_overview().filter(model=model)[:SHOWN]]


def _line(decision: RetrainingDecision) -> dict[str, Any]:
    return {
        "id": decision.pk,
        "at": decision.created_at,
        "rule": decision.rule,
        "state": decision.state,
        "reason": decision.reason,
        "outcome": decision.outcome,
    }


def _station(one: Station) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "id": one.row.pk,
        "title": one.title,
        "state": one.state,
        "at": one.at,
        "sentence": one.sentence,
    }
