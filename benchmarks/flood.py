"""Does one tenant's flood slow another's predictions? ``python benchmarks/flood.py``.

Starts the whole platform, has tenant A send many times what it may (predictions, trainings, uploads, keys),
and measures how long tenant B's predictions take with and without it, in turns. Ends with 1 where B's 95th
percentile during the flood is above ``BAR`` times the one without, or where A was not refused.
"""

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from rich.table import Table

from benchmarks.load import Client, Flood, Measured, Request, ask_steadily
from mlplatform.demo.client import Api
from mlplatform.demo.data import breast_cancer
from mlplatform.demo.lifecycle import ModelLife
from mlplatform.demo.report import Report
from mlplatform.running.stack import Stack, free_port, running_stack
from tests.plugins.services import REDIS_URL, manage, own_database, postgres_problem, redis_problem

BAR = 1.5
ALLOWED_PER_MINUTE = 30
FLOOD_PER_SECOND = 50.0  # a hundred times what A may
STEADY_PER_SECOND = 4.0
SHARED = ("ML_DATA_DIR", "DATABASE_URL", "ML_CACHE_URL")  # what commands need to meet the running platform
SCOPES = ("read", "predict", "train", "feedback", "deploy", "admin")


def tenant(stack: Stack, slug: str) -> str:
    """Make a tenant with a champion that answers, and return a key of all its rights."""
    env = {
        name: stack.env[name] for name in ("ML_DATA_DIR", "DATABASE_URL", "ML_CACHE_URL") if name in stack.env
    }
    manage("create_tenant", "--tenant", slug, "--name", slug.title(), **env)
    made = manage("create_api_key", "--tenant", slug, "--name", "load", "--scopes", *SCOPES, "--json", **env)
    key = str(json.loads(made)["key"])
    api = Api(stack.url, key)
    silent = Report(Console(quiet=True))
    life = ModelLife(
        api, silent, "cancer", "classification", breast_cancer(), ("logistic_regression",), "roc_auc"
    )
    life.promote(life.finish_training(life.start_training(life.import_data())), "benchmark")
    api.close()
    if slug == "flooding":
        manage("set_limits", "--tenant", slug, "--requests-per-minute", str(ALLOWED_PER_MINUTE), **env)
    return key


def flood_requests() -> list[Request]:
    """Return what A sends: predictions above all, and a training, an upload and a key now and then."""
    data = breast_cancer()
    rows = data.inputs(data.training.head(50))
    predict = Request.of("/models/cancer/predict", {"rows": rows})
    train = Request.of("/jobs", {"model": "cancer", "dataset": 1})
    upload = Request.upload("/datasets", "again", data.csv)
    key = Request.of("/api-keys", {"name": "one more", "scopes": ["read"]})
    return [predict] * 5 + [train] + [predict] * 5 + [upload] + [predict] * 5 + [key]


def measure(
    stack: Stack, *, rounds: int, seconds: float
) -> tuple[list[Measured], list[Measured], Counter[int]]:
    """Return B's measurements without and with A's flood, round by round, and how A was answered."""
    flooding, steady = tenant(stack, "flooding"), tenant(stack, "steady")
    data = breast_cancer()
    asked = [
        Request.of("/models/cancer/predict", {"row": row}) for row in data.inputs(data.training.head(20))
    ]
    client, floods = Client(stack.port, steady), flood_requests()
    ask_steadily(client, asked, per_second=STEADY_PER_SECOND, seconds=3)  # every process loads the model
    before, during, answered = [], [], Counter[int | str]()
    for _ in range(rounds):
        before.append(ask_steadily(client, asked, per_second=STEADY_PER_SECOND, seconds=seconds))
        with Flood(stack.port, flooding, floods, per_second=FLOOD_PER_SECOND) as flood:
            during.append(ask_steadily(client, asked, per_second=STEADY_PER_SECOND, seconds=seconds))
        answered += flood.statuses
    return before, during, answered


def report(name: str, before: list[Measured], during: list[Measured], answered: Counter[int | str]) -> bool:
    """Print the table and tell whether the bar holds."""
    table = Table(
        "tenant B's predictions", "p50", "p95", "answers", title=f"Flood on {name}", show_edge=False
    )
    figures = {}
    for when, rounds in (("without the flood", before), ("during the flood", during)):
        p50, p95 = (median(one.percentile(share) for one in rounds) for share in (0.5, 0.95))
        statuses = sum((one.statuses for one in rounds), Counter[int]())
        table.add_row(when, f"{p50:.1f} ms", f"{p95:.1f} ms", str(dict(statuses)))
        figures[when] = p95
        if set(statuses) != {200}:
            print(f"B was not always answered 200: {dict(statuses)}")
            return False
    Console().print(table)
    ratio = figures["during the flood"] / figures["without the flood"]
    share = answered[429] / max(1, answered.total())
    print(f"A was answered {dict(answered)}: {share:.0%} refused with 429.")
    print(f"B's p95 is {ratio:.2f} times what it was; the bar is {BAR}.")
    broken = [code for code in answered if isinstance(code, str) or code >= 500]
    return ratio <= BAR and share > 0.8 and not broken


@contextmanager
def sqlite() -> Iterator[dict[str, str]]:
    """Give the environment of a platform on SQLite."""
    os.environ.pop("DATABASE_URL", None)
    yield {}


@contextmanager
def postgresql() -> Iterator[dict[str, str]]:
    """Give the environment of a platform on a PostgreSQL database of its own, and Redis."""
    with own_database("flood") as url:
        yield {"DATABASE_URL": url, "CELERY_BROKER_URL": REDIS_URL, "ML_CACHE_URL": REDIS_URL}


PLATFORMS = {"sqlite": sqlite, "postgresql": postgresql}


def main() -> int:
    """Measure everywhere and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="with and without the flood, in turns")
    parser.add_argument("--seconds", type=float, default=8, help="of each measurement")
    parser.add_argument("--only", choices=list(PLATFORMS), help="one database alone")
    options = parser.parse_args()
    chosen = [options.only] if options.only else list(PLATFORMS)
    problem = postgres_problem() or redis_problem()
    if problem and "postgresql" in chosen:
        print(f"Left out: PostgreSQL with Redis. {problem}")
        chosen.remove("postgresql")
    good = True
    for name in chosen:
        with (
            PLATFORMS[name]() as env,
            tempfile.TemporaryDirectory() as folder,
            running_stack(Path(folder), free_port(), env) as stack,
        ):
            good &= report(name, *measure(stack, rounds=options.rounds, seconds=options.seconds))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
