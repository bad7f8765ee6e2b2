"""Make twins of versions, and say how near they must be."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.errors import InvalidInput
from mlplatform.management.base import TenantCommand
from registry.models import ModelVersion
from registry.models.version import VersionStatus
from registry.services.models import find_model, update_model
from registry.services.twins import twin_facts
from registry.services.versions import find_version
from training.services.twin_making import make_twin_of


class Command(TenantCommand):
    """Makes twins in ONNX of versions that exist already, and sets a model's tolerance."""

    help = (
        "Make the twins of a model's versions anew, or set how far a twin may be from its original. Without "
        "--number and --all it shows which versions have a twin."
    )
    example = "python manage.py twin --tenant clinic --model diagnosis --tolerance 0.0001 --number 3"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model, its versions, and the tolerance."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        parser.add_argument("--number", type=int, action="append", default=[], help="A version; repeatable.")
        parser.add_argument("--all", action="store_true", help="Every ready version that has no twin.")
        parser.add_argument(
            "--tolerance", type=float, help="How far probabilities may be apart, for twins from now on."
        )

    def run_for_tenant(self, **options: Any) -> list[dict[str, Any]]:
        """Set the tolerance, make what is asked for, and tell of the versions' twins."""
        model = find_model(options["model"])
        if options["all"] and options["number"]:
            raise InvalidInput("Name versions with --number, or all with --all, not both.")
        if options["tolerance"] is not None:
            update_model(model=model, changes={"twin_tolerance": options["tolerance"]}, by=self.actor)
        ready = ModelVersion.objects.filter(model=model, status=VersionStatus.READY).order_by("number")
        if options["all"]:
            numbers = list(ready.filter(twin_file="").values_list("number", flat=True))
        else:
            numbers = options["number"]
        for number in numbers:
            make_twin_of(version=find_version(model, number), by=self.actor)
        shown = numbers or list(ready.values_list("number", flat=True))
        return [_told(find_version(model, number)) for number in shown]


def _told(version: ModelVersion) -> dict[str, Any]:
    facts = twin_facts(version)
    names = ("made", "rows", "difference", "tolerance", "reason")
    return {"version": version.number, **{name: facts[name] for name in names}}
