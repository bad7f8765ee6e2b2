"""A model from an archive."""

from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlplatform.management.base import TenantCommand
from mlplatform.management.files import existing_file
from registry.services.model_import import import_model


class Command(TenantCommand):
    """Imports a model's archive."""

    help = (
        "Make a new model of what export_model wrote, here or at an installation that this one trusts "
        "(ML_TRUSTED_INSTALLATIONS): all of it or nothing. Numbers, dates, tags, metrics and history stay; "
        "nothing of it answers until it is promoted, or with --champion what answered there."
    )
    example = "python manage.py import_model --tenant clinic diagnosis.zip --as diagnosis-north"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the archive, another name, and whether the champion runs."""
        parser.add_argument("file", type=Path, help="The archive.")
        parser.add_argument("--as", dest="name", metavar="NAME", help="Another name for the model.")
        parser.add_argument("--champion", action="store_true", help="Promote what was champion there.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Import; raises InvalidInput where there is no such file."""
        with existing_file(options["file"]) as source:
            done = import_model(
                source=source, by=self.actor, name=options["name"], champion=options["champion"]
            )
        return asdict(done)
