"""How a model answers: its log, its memory of answers, its versions in shadow."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from registry.models.registered_model import LogWriting
from registry.services.answer_counts import answer_counts
from registry.services.models import find_model, update_model


class Command(TenantCommand):
    """Shows how a model answers, or changes it."""

    help = "Show how a model answers and what it keeps of that, or change it."
    example = "python manage.py serving --tenant clinic --model diagnosis --log-share 0.1 --shadow challenger"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model and what may be changed."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        parser.add_argument("--log", choices=LogWriting.values, help="When answers are written to the log.")
        parser.add_argument(
            "--log-share", type=float, metavar="SHARE", help="The share of answers that is kept, 0 to 1."
        )
        parser.add_argument(
            "--cache", choices=["yes", "no"], help="Whether equal rows are answered from memory."
        )
        parser.add_argument(
            "--cache-seconds", type=int, metavar="SECONDS", help="For how long an answer is given again."
        )
        parser.add_argument(
            "--shadow",
            action="append",
            metavar="ALIAS",
            help="An alias that answers in shadow; repeat for more.",
        )
        parser.add_argument("--no-shadow", action="store_true", help="Let no version answer in shadow.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Change what was given; return how the model answers."""
        model = find_model(options["model"])
        changes = {
            "log_writing": options["log"],
            "log_share": options["log_share"],
            "cache_answers": None if options["cache"] is None else options["cache"] == "yes",
            "cache_seconds": options["cache_seconds"],
            "shadow_aliases": [] if options["no_shadow"] else options["shadow"],
        }
        given = {name: value for name, value in changes.items() if value is not None}
        if given:
            model = update_model(model=model, changes=given, by=self.actor)
        counted = answer_counts(model)
        return {
            "model": model.name,
            **{name: getattr(model, name) for name in changes},
            "logged_7_days": counted.logged,
            "cached_7_days": counted.cached,
        }
