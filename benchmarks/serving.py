"""Predictions over HTTP, beside MLflow, BentoML and a bare endpoint. ``python -m benchmarks.serving``.

The same models (a scaler with a forest of 100 trees, a logistic regression, a voting that ONNX does not serve
for us) on 30 numbers, one row a request, from the same load tool on the same machine. Every server is started
first; then each is pressed in turn, round after round. The platform runs on its production server with two
processes: with API key, tenant, rights, input checks and log row. Each peer has an environment of its own in
``--environments``, made where it is missing. Ends with 1 where a bar is missed or a peer is missing.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from rich.table import Table

from benchmarks.pressure import Pressed, press
from benchmarks.servers import ROOT, Server, bare, bentoml, environment, mlflow, platform
from tests.plugins.services import postgres_problem

MODELS = ("forest", "logistic", "voting")
NO_TWIN = ("voting",)  # has no form in ONNX, so the bare endpoint cannot serve it
MANY = "c=16, 100 rows"  # in a request
PLATFORMS = ("sqlite", "postgresql")
PEERS = ("mlflow checked", "mlflow unchecked", "bentoml 1", "bentoml 2", "bare")
STORED, STORED_PG, QUICK = "sqlite", "postgresql", "sqlite, background log"
# Ours, the model, the load, the peer, and at least how many times the peer's requests a second.
BARS: tuple[tuple[str, str, str, str, float], ...] = (
    (STORED, "forest", "c=16", "mlflow checked", 25),
    (STORED, "forest", "c=16", "mlflow unchecked", 12),
    (STORED, "forest", "c=16", "bentoml", 12),
    (STORED, "logistic", "c=16", "mlflow checked", 15),
    (STORED, "logistic", "c=16", "mlflow unchecked", 2),
    (STORED, "logistic", "c=16", "bentoml", 4),
    (STORED_PG, "forest", "c=16", "mlflow checked", 18),
    (STORED_PG, "forest", "c=16", "mlflow unchecked", 9),
    (STORED_PG, "forest", "c=16", "bentoml", 8),
    (STORED_PG, "logistic", "c=16", "mlflow checked", 11),
    (STORED_PG, "logistic", "c=16", "mlflow unchecked", 1.5),
    (STORED_PG, "logistic", "c=16", "bentoml", 3),
    (QUICK, "forest", "c=16", "mlflow checked", 50),
    (QUICK, "forest", "c=16", "mlflow unchecked", 25),
    (QUICK, "forest", "c=16", "bentoml", 25),
    (QUICK, "forest", "c=16", "bare", 1 / 3),
    (QUICK, "logistic", "c=16", "mlflow checked", 30),
    (QUICK, "logistic", "c=16", "mlflow unchecked", 4),
    (QUICK, "logistic", "c=16", "bentoml", 8),
    (QUICK, "logistic", "c=16", "bare", 1 / 3),
    (STORED, "forest", MANY, "mlflow checked", 8),
    (STORED, "logistic", MANY, "mlflow checked", 4),
    (STORED, "voting", "c=16", "mlflow checked", 5),
)
P50_SHARE = 0.1  # of MLflow's median, of the forest over one connection
LOADS = {"c=1": (1, 1), "c=16": (16, 1), MANY: (16, 100)}  # connections, rows in a request


def start(stack: ExitStack, options: argparse.Namespace, folder: Path) -> tuple[list[Server], list[str]]:
    """Start what is wanted; return the servers, and who is missing and why."""
    servers: list[Server] = []
    missing: list[str] = []
    wanted = [name for name in (*PLATFORMS, *PEERS) if not options.only or name.split()[0] in options.only]
    if "postgresql" in wanted and (problem := postgres_problem()):
        wanted.remove("postgresql")
        missing.append(f"postgresql: {problem}")
    for name in wanted:
        try:
            if name in PLATFORMS:
                servers += stack.enter_context(platform(folder, options.models, name))
                continue
            program, _, kind = name.partition(" ")
            programs = environment(options.environments, program)
            run = {"mlflow": mlflow, "bentoml": bentoml, "bare": bare}[program]
            served = [model for model in options.models if name != "bare" or model not in NO_TWIN]
            servers += [stack.enter_context(run(folder, programs, model, kind)) for model in served]
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            missing.append(f"{name}: {error}")
    return servers, missing


Figures = dict[tuple[str, str, str], list[Pressed]]


def measure(servers: Sequence[Server], options: argparse.Namespace, folder: Path) -> Figures:
    """Press each server in turn, round after round."""
    rows = json.loads((folder / "rows.json").read_text())
    figures: Figures = {}
    for server in servers:  # every process loads the model
        press(server.port, server.requests(rows, 1), connections=16, seconds=1.0)
    for _ in range(options.rounds):
        for load, (connections, at_once) in LOADS.items():
            for server in servers:
                asked = server.requests(rows, at_once)
                found = press(server.port, asked, connections=connections, seconds=options.seconds)
                figures.setdefault((server.name, server.model, load), []).append(found)
    return figures


def rate(figures: Figures, name: str, model: str, load: str) -> float | None:
    """Return the median requests a second; of BentoML the better of one and two workers."""
    if name == "bentoml":
        both = [rate(figures, f"bentoml {count}", model, load) for count in (1, 2)]
        return max((one for one in both if one is not None), default=None)
    rounds = figures.get((name, model, load))
    return None if not rounds else median(one.per_second for one in rounds)


def report(figures: Figures, console: Console) -> None:
    """Print requests a second, p50 and p99 of each, and how many times the bare endpoint's that is."""
    table = Table("served by", "model", "load", "requests/s", "p50 ms", "p99 ms", "x bare", "others than 200")
    for (name, model, load), rounds in sorted(figures.items(), key=lambda item: (item[0][1:], item[0][0])):
        limit, ours = rate(figures, "bare", model, load), rate(figures, name, model, load)
        share = "" if not limit or ours is None else f"{ours / limit:.2f}"
        bad = sum(one.statuses.total() - one.statuses[200] for one in rounds)
        p50, p99 = (f"{median(one.percentile(share) for one in rounds):.2f}" for share in (0.5, 0.99))
        table.add_row(name, model, load, f"{ours:,.0f}", p50, p99, share, str(bad or ""))
    console.print(table)


def verdict(figures: Figures, console: Console) -> bool:
    """Print each bar whose two sides were measured, and tell whether all of them hold."""
    table, good, judged = Table("ours", "model", "load", "against", "times", "bar", ""), True, 0
    for ours, model, load, peer, bar in BARS:
        ahead, behind = rate(figures, ours, model, load), rate(figures, peer, model, load)
        if ahead is None or not behind:
            continue
        holds, judged = ahead / behind >= bar, judged + 1
        good &= holds
        word = "holds" if holds else "MISSED"
        table.add_row(ours, model, load, peer, f"{ahead / behind:.2f}", f"{bar:.2f}", word)
    one, other = figures.get((STORED, "forest", "c=1")), figures.get(("mlflow checked", "forest", "c=1"))
    if one and other:
        share = median(it.percentile(0.5) for it in one) / median(it.percentile(0.5) for it in other)
        good &= share < P50_SHARE
        word = "holds" if share < P50_SHARE else "MISSED"
        table.add_row(STORED, "forest", "c=1", "p50 of mlflow checked", f"{share:.3f}", "< 0.1", word)
    console.print(table)
    broken = [
        key
        for key, rounds in figures.items()
        if any(one.statuses.total() != one.statuses[200] for one in rounds)
    ]
    for key in broken:
        console.print(f"Not every answer was 200: {', '.join(key)}")
    return good and not broken and bool(judged or not figures)


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = sorted({name.split()[0] for name in (*PLATFORMS, *PEERS)})
    parser.add_argument("--only", nargs="+", choices=names, help="these servers alone")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    default = Path(tempfile.gettempdir()) / "serving-peers"
    parser.add_argument("--environments", type=Path, default=default, help="where the peers are installed")
    return parser.parse_args()


def main() -> int:
    """Measure and judge."""
    options, console = parsed(), Console(width=130)
    os.environ.pop("DATABASE_URL", None)
    folder = Path(tempfile.mkdtemp(prefix="serving-"))
    try:
        fit = [sys.executable, "-m", "benchmarks.rivals.serving_models", str(folder)]
        subprocess.run(fit, cwd=ROOT, check=True)
        with ExitStack() as stack:
            servers, missing = start(stack, options, folder)
            figures = measure(servers, options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report(figures, console)
    good = verdict(figures, console)
    for who in missing:
        console.print(f"Missing: {who}", markup=False)
    return 0 if good and not missing else 1


if __name__ == "__main__":
    sys.exit(main())
