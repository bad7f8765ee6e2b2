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
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import sklearn
from rich.console import Console
from rich.table import Table

from benchmarks.pressure import Pressed, post, press
from mlplatform.running.ports import free_port
from mlplatform.running.programs import platform_programs
from tests.plugins.services import manage, own_database, postgres_problem

ROOT = Path(__file__).resolve().parent.parent
MODELS = ("forest", "logistic", "voting")
NO_TWIN = ("voting",)  # has no form in ONNX, so the bare endpoint cannot serve it
MANY = "100 rows"  # in a request, over one connection
READY_SECONDS = 120.0
SKLEARN = (f"scikit-learn=={sklearn.__version__}", "pandas")
PACKAGES = {
    "mlflow": ("mlflow>=3", *SKLEARN),
    "bentoml": ("bentoml", *SKLEARN),
    "bare": ("onnxruntime", "uvicorn", "httptools", "uvloop", "numpy"),
}
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
LOADS = {"c=1": (1, 1), "c=16": (16, 1), MANY: (1, 100)}  # connections, rows in a request


@dataclass(frozen=True)
class Server:
    """Something that answers one model at a port, and how it is asked."""

    name: str
    model: str
    port: int
    path: str
    shape: str  # of the body
    headers: dict[str, str]

    def requests(self, rows: list[dict[str, float]], at_once: int) -> list[bytes]:
        """Return requests with so many rows in each."""
        starts = range(0, len(rows), at_once)
        bodies = [_body(self.shape, rows[start : start + at_once]) for start in starts]
        return [post(self.port, self.path, body, self.headers) for body in bodies]


def _body(shape: str, rows: list[dict[str, float]]) -> dict[str, object]:
    if shape == "dataframe_split":
        return {shape: {"columns": list(rows[0]), "data": [list(row.values()) for row in rows]}}
    if shape == "inputs":
        return {shape: [list(row.values()) for row in rows]}
    return {"row": rows[0]} if shape == "row" and len(rows) == 1 else {"rows": rows}


def environment(folder: Path, name: str) -> Path:
    """Return the peer's folder of programs, installed where it is missing; raises CalledProcessError."""
    programs = folder / name / "bin"
    if not (programs / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder / name)], check=True)
        subprocess.run([str(programs / "pip"), "install", "--quiet", *PACKAGES[name]], check=True)
        (programs / "installed").touch()
    return programs


@contextmanager
def running(command: Sequence[str], port: int, log: Path, **env: str) -> Iterator[None]:
    """Run a server until the block ends, once its port takes connections; raises RuntimeError."""
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | env, stdout=output, stderr=output, start_new_session=True
        )
        try:
            _wait_for(server, port, log)
            yield
        finally:
            server.terminate()
            with suppress(subprocess.TimeoutExpired):
                server.wait(20)
            with suppress(ProcessLookupError):
                os.killpg(server.pid, 9)


def _wait_for(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    request = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    ends = time.monotonic() + READY_SECONDS
    while time.monotonic() < ends:
        if server.poll() is not None:
            raise RuntimeError(f"It ended at once: {log.read_text(errors='replace')[-2000:]}")
        with suppress(OSError):
            press(port, [request], connections=1, seconds=0.01)
            return
        time.sleep(0.2)
    raise RuntimeError(f"It was not ready in time: {log.read_text(errors='replace')[-2000:]}")


@contextmanager
def platform(folder: Path, models: Sequence[str], database: str) -> Iterator[list[Server]]:
    """Run the platform with two processes; its champions, with their rows stored or in the background."""
    with ExitStack() as stack:
        env = {"ML_DATA_DIR": str(folder / database), "ML_LIMIT_REQUESTS_PER_MINUTE": str(10**12)}
        env["ML_LIMIT_STORED_ROWS"] = str(10**12)
        if database == "postgresql":
            env["DATABASE_URL"] = stack.enter_context(own_database("serving"))
        else:
            manage("migrate", "-v0", **env)
        manage("create_tenant", "--tenant", "bench", "--name", "Bench", **env)
        made = subprocess.run(
            [sys.executable, "-m", "benchmarks.rivals.serving_models", str(folder), "--register", *models],
            cwd=ROOT, env=os.environ | env, check=True, stdout=subprocess.PIPE, text=True,
        ).stdout  # fmt: skip
        headers = {"Authorization": f"Bearer {json.loads(made.splitlines()[-1])['key']}"}
        port = free_port()
        web = platform_programs("127.0.0.1", port, web_workers=2)[-1]
        stack.enter_context(running(web.command, port, folder / f"{database}.log", **env))
        kinds = {database: "", f"{database}, background log": "-quick"}
        yield [
            Server(name, model, port, f"/api/v1/models/{model}{ending}/predict", "row", headers)
            for model in models
            for name, ending in kinds.items()
        ]


@contextmanager
def mlflow(folder: Path, programs: Path, model: str, kind: str) -> Iterator[Server]:
    """Run ``mlflow models serve`` with one worker."""
    made = folder / f"mlflow-{model}"
    if not made.exists():
        script, pipeline = "benchmarks/rivals/serving_mlflow.py", str(folder / f"{model}.joblib")
        rows = str(folder / "rows.json")
        command = [str(programs / "python"), script, pipeline, rows, str(made)]
        subprocess.run(command, cwd=ROOT, check=True)
    port = free_port()
    command = [str(programs / "mlflow"), "models", "serve", "-m", str(made / kind), "-p", str(port)]
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    options = ["--workers", "1", "--env-manager", "local"]
    with running([*command, *options], port, folder / f"mlflow-{model}-{kind}.log", PATH=path):
        shape = "dataframe_split" if kind == "checked" else "inputs"
        yield Server(f"mlflow {kind}", model, port, "/invocations", shape, {})


@contextmanager
def bentoml(folder: Path, programs: Path, model: str, workers: str) -> Iterator[Server]:
    """Run BentoML."""
    port = free_port()
    command = [str(programs / "bentoml"), "serve", "benchmarks.rivals.serving_bentoml:Served"]
    env = {"MODEL_FILE": str(folder / f"{model}.joblib"), "BENTO_WORKERS": workers}
    env |= {"BENTOML_HOME": str(folder / "bentoml"), "BENTOML_DO_NOT_TRACK": "true"}
    with running([*command, "--port", str(port)], port, folder / f"bentoml-{model}-{workers}.log", **env):
        yield Server(f"bentoml {workers}", model, port, "/predict", "rows", {})


@contextmanager
def bare(folder: Path, programs: Path, model: str, workers: str) -> Iterator[Server]:
    """Run onnxruntime behind an ASGI server with two processes, as many as we have."""
    port = free_port()
    command = [str(programs / "uvicorn"), "benchmarks.rivals.serving_bare:app", "--port", str(port)]
    options = ["--workers", "2", "--no-access-log", "--log-level", "warning"]
    log = folder / f"bare-{model}.log"
    with running([*command, *options], port, log, MODEL_FILE=str(folder / f"{model}.onnx")):
        yield Server("bare", model, port, "/", "rows", {})


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
