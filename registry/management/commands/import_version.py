"""A version from a file that another program made."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from mlplatform.errors import InvalidInput
from mlplatform.management.base import TenantCommand
from mlplatform.management.files import existing_file
from registry.services.datasets import find_dataset
from registry.services.foreign_versions import ForeignModel, import_version
from registry.services.models import find_model


class Command(TenantCommand):
    """Imports a skops or an ONNX file as a model's next version."""

    help = (
        "Make a skops or an ONNX file the model's next version. Pickles (joblib, cloudpickle, .pt) are "
        "refused whatever they are called: reading one runs what stands in it. Name a dataset that has the "
        'model\'s columns, or a JSON file that describes them: [{"name": "age", "type": "numeric"}, ...].'
    )
    example = (
        "python manage.py import_version --tenant clinic --model diagnosis forest.onnx --dataset 3 "
        "--classes benign malignant --origin 'Research group, June'"
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the file, and what it takes and answers."""
        parser.add_argument("file", type=Path, help="skops or ONNX; told by its content.")
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        parser.add_argument("--dataset", type=int, help="Has the columns; its rows measure the version.")
        parser.add_argument("--columns", type=Path, metavar="JSON", help="A file that describes the columns.")
        parser.add_argument("--classes", nargs="+", default=[], help="In the order of the probabilities.")
        parser.add_argument("--example", type=Path, metavar="JSON", help="A file with a row to try it on.")
        parser.add_argument("--origin", default="", help="Where it came from, in words.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Import; raises InvalidInput where a file cannot be read."""
        number = options["dataset"]
        about = ForeignModel(
            columns=_read(options["columns"], list),
            classes=options["classes"],
            dataset=None if number is None else find_dataset(number),
            example=_read(options["example"], dict),
            origin=options["origin"],
        )
        model = find_model(options["model"])
        with existing_file(options["file"]) as file:
            made = import_version(
                model=model, file=file, filename=options["file"].name, about=about, by=self.actor
            )
        return {
            "version": str(made),
            "status": made.status,
            "reason": made.status_reason,
            "algorithm": made.algorithm,
            "metrics": made.metrics,
            "origin": made.origin,
        }


def _read(path: Path | None, kind: type) -> Any:
    """Return what the JSON file holds, empty without one; raises InvalidInput."""
    if path is None:
        return kind()
    with existing_file(path) as file:
        try:
            found = json.load(file)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(f"{path} holds no valid JSON: {error}") from error
    if not isinstance(found, kind):
        raise InvalidInput(f"{path} does not hold {'a list' if kind is list else 'an object'}.")
    return found
