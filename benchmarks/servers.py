"""The servers that ``benchmarks/serving.py`` presses: the platform, MLflow, BentoML and a bare endpoint."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import sklearn

from benchmarks.pressure import post, press
from mlplatform.running.ports import free_port
from mlplatform.running.programs import platform_programs
from tests.plugins.services import manage, own_database

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 120.0
SKLEARN = (f"scikit-learn=={sklearn.__version__}", "pandas")
PACKAGES = {
    "mlflow": ("mlflow>=3", *SKLEARN),
    "bentoml": ("bentoml", *SKLEARN),
    "bare": ("onnxruntime", "uvicorn", "httptools", "uvloop", "skl2onnx", *SKLEARN),
}


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
    made = folder / f"{model}.onnx"
    if not made.exists():
        convert, pipeline = "benchmarks/rivals/serving_convert.py", str(folder / f"{model}.joblib")
        subprocess.run([str(programs / "python"), convert, pipeline, str(made)], cwd=ROOT, check=True)
    port = free_port()
    command = [str(programs / "uvicorn"), "benchmarks.rivals.serving_bare:app", "--port", str(port)]
    options = ["--workers", "2", "--no-access-log", "--log-level", "warning"]
    log = folder / f"bare-{model}.log"
    with running([*command, *options], port, log, MODEL_FILE=str(made)):
        yield Server("bare", model, port, "/", "rows", {})
