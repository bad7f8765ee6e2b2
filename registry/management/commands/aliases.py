"""Names that point to versions."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from registry.services.aliases import aliases_of, remove_alias, set_alias
from registry.services.models import find_model
from registry.services.versions import find_version


class Command(TenantCommand):
    """Lists, sets and takes off a model's aliases."""

    help = "List a model's aliases, point one to a version, or take one off; the champion is promoted."
    example = "python manage.py aliases --tenant clinic --model diagnosis --set challenger --number 3"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model, the name, the version and the reason."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        doing = parser.add_mutually_exclusive_group()
        doing.add_argument("--set", metavar="ALIAS", help="Point this name to the version of --number.")
        doing.add_argument("--remove", metavar="ALIAS", help="Take this name off.")
        parser.add_argument("--number", type=int, default=0, help="The version's number.")
        parser.add_argument("--reason", default="", help="Why; kept in the history.")

    def run_for_tenant(self, **options: Any) -> list[dict[str, Any]]:
        """Change what was asked for; return every alias."""
        model, by, reason = find_model(options["model"]), self.actor, options["reason"]
        if options["set"]:
            version = find_version(model, options["number"])
            set_alias(model=model, name=options["set"], version=version, by=by, reason=reason)
        elif options["remove"]:
            remove_alias(model=model, name=options["remove"], by=by, reason=reason)
        return [
            {"alias": one.name, "version": one.version.number, "since": one.updated_at}
            for one in aliases_of(model)
        ]
