"""Where something came from, and what it led to."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.errors import InvalidInput
from mlplatform.management.base import TenantCommand
from mlplatform.tenancy.models import TenantModel
from monitoring.services.lineage import DEPTH, lineage_of, tree
from registry.services.datasets import find_dataset
from registry.services.models import find_model
from registry.services.past import find_deployment
from registry.services.versions import find_version
from training.services.jobs import find_job
from training.services.sources import find_source


class Command(TenantCommand):
    """Prints a lineage as a tree."""

    help = "Tell where a source, dataset, job, version or deployment came from, and what it led to."
    example = "python manage.py lineage --tenant clinic --model diagnosis --number 3"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add what to start from, which way, and how far."""
        parser.add_argument("--source", type=int, metavar="NUMBER", help="Start from a data source.")
        parser.add_argument("--dataset", type=int, metavar="NUMBER", help="Start from a dataset.")
        parser.add_argument("--job", type=int, metavar="NUMBER", help="Start from a training job.")
        parser.add_argument("--model", metavar="NAME", help="The model of the version or deployment.")
        parser.add_argument("--number", type=int, metavar="NUMBER", help="Start from this version of it.")
        parser.add_argument(
            "--deployment", type=int, metavar="NUMBER", help="Start from this deployment of it."
        )
        parser.add_argument("--direction", choices=["both", "up", "down"], default="both")
        parser.add_argument(
            "--depth", type=int, default=DEPTH, help=f"How many links away; {DEPTH} by default."
        )

    def run_for_tenant(self, **options: Any) -> dict[str, Any] | None:
        """Print the tree, or return nodes and edges."""
        found = lineage_of(_start(options), direction=options["direction"], depth=options["depth"])
        if options["json"]:
            nodes = [
                {"key": one.key, "title": one.title, "details": one.lines, "count": one.count}
                for one in found.nodes.values()
            ]
            return {"start": found.start, "nodes": nodes, "edges": found.edges, "complete": found.complete}
        self.stdout.write(found.nodes[found.start].title)
        for up, title in ((True, "came from"), (False, "led to")):
            if options["direction"] in ("both", "up" if up else "down"):
                self.stdout.write("\n".join(["", f"{title}:", *(tree(found, up=up) or ["  nothing"])]))
        if not found.complete:
            self.stdout.write("\nThere is more: start from a node at the end, or ask for a greater --depth.")
        return None


def _start(options: dict[str, Any]) -> TenantModel:
    """Return the one row that the options name; raises InvalidInput where they name none or several."""
    finders = {"source": find_source, "dataset": find_dataset, "job": find_job}
    of_model = [name for name in ("number", "deployment") if options[name] is not None]
    named = [*(name for name in finders if options[name] is not None), *of_model]
    if len(named) != 1 or bool(of_model) != bool(options["model"]):
        raise InvalidInput(
            "Name one start: --source, --dataset or --job, or --model with --number or --deployment."
        )
    if not of_model:
        return finders[named[0]](options[named[0]])
    model = find_model(options["model"])
    find = find_version if of_model == ["number"] else find_deployment
    return find(model, options[of_model[0]])
