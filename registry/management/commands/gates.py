"""Which gates a model demands, and what they say of a version."""

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from typing import Any

from mlplatform.errors import InvalidInput
from mlplatform.management.base import TenantCommand
from registry.gates.fields import as_text
from registry.services.demands import all_demands, change_rules, choice_from_texts, choice_of, choose_gates
from registry.services.gates import evaluate_gates
from registry.services.models import find_model
from registry.services.versions import find_version


class Command(TenantCommand):
    """Shows or chooses a model's gates, or runs them."""

    help = "Show which gates a model demands, choose them, or run a version through them."
    example = (
        "python manage.py gates --tenant clinic --model diagnosis "
        "--demand minimum_metrics bounds=f1=0.8 --demand latency milliseconds=50 --drop schema_compatible"
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model, the gates to demand and to drop, and the version to run."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        parser.add_argument(
            "--demand",
            nargs="+",
            action="append",
            default=[],
            metavar="WORD",
            help="A gate and its parameters, NAME=VALUE each; repeat one that takes several values.",
        )
        parser.add_argument("--drop", action="append", default=[], metavar="GATE", help="Demand it no more.")
        parser.add_argument("--standard", action="store_true", help="Go back to the standard gates.")
        parser.add_argument(
            "--four-eyes", choices=["yes", "no"], help="Whether a second person must approve a promotion."
        )
        parser.add_argument(
            "--request-days", type=int, metavar="DAYS", help="For how long a proposal can be approved."
        )
        parser.add_argument(
            "--check", type=int, metavar="NUMBER", help="Run this version through them; changes nothing."
        )

    def run_for_tenant(self, **options: Any) -> Any:
        """Choose where something was chosen; return the gates, or their verdicts."""
        model = find_model(options["model"])
        if options["standard"]:
            choose_gates(model=model, gates={}, by=self.actor)
        elif options["demand"] or options["drop"]:
            chosen = choice_of(model) | choice_from_texts(_texts(options["demand"]))
            kept = {name: one for name, one in chosen.items() if name not in options["drop"]}
            choose_gates(model=model, gates=kept, by=self.actor)
        if options["four_eyes"] or options["request_days"] is not None:
            change_rules(
                model=model,
                by=self.actor,
                four_eyes=options["four_eyes"] and options["four_eyes"] == "yes",
                request_days=options["request_days"],
            )
        if options["check"] is not None:
            results = evaluate_gates(model=model, candidate=find_version(model, options["check"]))
            return [{"gate": one.title, "passed": one.passed, "why": one.detail} for one in results]
        return [
            {
                "gate": one.gate.name,
                "demanded": one.demanded,
                "parameters": ", ".join(
                    f"{name} = {as_text(getattr(one.parameters, name)).replace(chr(10), ', ')}"
                    for name in one.gate.parameters.__struct_fields__
                ),
            }
            for one in all_demands(model)
        ]


def _texts(demanded: Sequence[Sequence[str]]) -> Mapping[str, Mapping[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for gate, *pairs in demanded:
        texts = found.setdefault(gate, {})
        for pair in pairs:
            name, sign, value = pair.partition("=")
            if not sign:
                raise InvalidInput(f"{pair!r} is no parameter of {gate}. Write NAME=VALUE.")
            texts[name] = f"{texts[name]}\n{value}" if name in texts else value
    return found
