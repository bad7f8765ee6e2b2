"""List what models can be trained with."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import PlatformCommand
from training.algorithms import ALGORITHMS, KNOWN
from training.algorithms.catalogue import as_markdown, supports


class Command(PlatformCommand):
    """Lists the algorithms, or writes the page about them."""

    help = "List the algorithms that can be trained here; --markdown prints docs/algorithms.md."
    example = "python manage.py list_algorithms"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add ``--markdown``."""
        parser.add_argument("--markdown", action="store_true", help="Print the whole table as a page.")

    def run(self, **options: Any) -> list[dict[str, Any]] | None:
        """Return a row per algorithm, or print the page."""
        if options["markdown"]:
            self.stdout.write(as_markdown(KNOWN), ending="")
            return None
        return [
            {
                "key": algorithm.key,
                "problems": sorted(algorithm.problems),
                "supports": supports(algorithm),
                "advice": algorithm.advice,
            }
            for algorithm in ALGORITHMS.values()
        ]
