"""Tags of models and versions."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.errors import InvalidInput
from mlplatform.management.base import TenantCommand
from registry.services.models import find_model
from registry.services.tags import change_tags
from registry.services.versions import find_version


class Command(TenantCommand):
    """Sets tags of a model or a version, or takes them off."""

    help = "Set tags of a model or of one of its versions: NAME=VALUE; NAME= takes one off."
    example = "python manage.py tag --tenant clinic --model diagnosis --version-number 2 team=risk reviewed="

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model, the version and the tags."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        parser.add_argument(
            "--version-number", type=int, metavar="NUMBER", help="The version; else the model."
        )
        parser.add_argument("tags", nargs="+", metavar="NAME=VALUE", help="What to set; NAME= takes it off.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Change the tags and return them all."""
        model = find_model(options["model"])
        number = options["version_number"]
        target = model if number is None else find_version(model, number)
        changes = dict(_pair(text) for text in options["tags"])
        return {"target": str(target), "tags": change_tags(target=target, changes=changes, by=self.actor)}


def _pair(text: str) -> tuple[str, str | None]:
    name, sign, value = text.partition("=")
    if not sign:
        raise InvalidInput(f"{text!r} is no tag. Write NAME=VALUE, or NAME= to take it off.")
    return name, value or None
