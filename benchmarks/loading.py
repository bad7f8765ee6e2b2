"""How long a large version takes into a process, and whether anybody waits: ``python -m benchmarks.loading``.

A forest is grown until its artefact has ``--megabytes``. It is loaded as a server process loads it, from the
sealed file, with hash and signature checked. Then a server with two processes that answers by a small version
is pressed while the large one is promoted. Ends with 1 where a load takes a second or more, where a request
fails, or where one waits as long as a load takes.
"""

import argparse
import http.client
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from benchmarks.pressure import Pressed, post, press
from benchmarks.servers import running
from mlplatform.running.ports import free_port
from mlplatform.running.programs import platform_programs
from tests.plugins.services import manage

BAR = 1.0  # seconds
COLUMNS = 20
CONNECTIONS = 8
TREES_AT_ONCE = 20


def table(rows: int) -> pd.DataFrame:
    """Numbers, and a label that hangs on some of them and on chance, so that trees grow large."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"x{place}": rng.normal(size=rows) for place in range(COLUMNS)})
    noisy = frame["x0"] + frame["x1"] * frame["x2"] + rng.normal(size=rows)
    return frame.assign(diagnosis=pd.Series(np.where(noisy > 0, "yes", "no"), dtype="str"))


def forest(frame: pd.DataFrame, megabytes: float) -> Any:
    """A forest whose artefact is that large."""
    from registry.artifacts.formats import dump

    grown = RandomForestClassifier(TREES_AT_ONCE, random_state=0, n_jobs=-1, warm_start=True)
    inputs, target = frame.drop(columns="diagnosis"), frame["diagnosis"]
    each = len(dump(grown.fit(inputs, target))) / TREES_AT_ONCE
    grown.set_params(n_estimators=max(TREES_AT_ONCE + 1, round(megabytes * 1e6 / each)))
    return make_pipeline(grown.fit(inputs, target).set_params(n_jobs=None))


def prepare(megabytes: float) -> tuple[Any, Any, str, dict[str, float]]:
    """Register a small champion and the large version; returns both, a key, and a row to ask about."""
    from mlplatform.tenancy.actors import SYSTEM
    from mlplatform.tenancy.scope import tenant_scope
    from mlplatform.tenancy.services.api_keys import create_api_key
    from mlplatform.tenancy.services.tenants import create_tenant
    from registry.services.models import create_model
    from tests.factories import make_champion, make_dataset, make_version

    frame = table(60_000)
    small = make_pipeline(LogisticRegression()).fit(frame.drop(columns="diagnosis"), frame["diagnosis"])
    tenant = create_tenant(slug="bench", name="Bench", by=SYSTEM)
    with tenant_scope(tenant):
        dataset = make_dataset(frame=frame.head(500))
        model = create_model(name="large", problem_type="classification", target="diagnosis", by=SYSTEM)
        first = make_champion(model, dataset=dataset, pipeline=small)
        second = make_version(model, dataset=dataset, pipeline=forest(frame, megabytes))
        key = create_api_key(name="load", scopes=["predict"], by=SYSTEM).secret
    row = {str(name): float(value) for name, value in frame.drop(columns="diagnosis").iloc[0].items()}
    return first, second, key, row


def load_seconds(version: Any, rounds: int) -> list[float]:
    """How long each of so many loads took, into a process that holds nothing."""
    from mlplatform.tenancy.scope import tenant_scope
    from registry.services.loading import CACHE
    from registry.services.plans import plan_for

    taken = []
    with tenant_scope(version.tenant):
        for _ in range(rounds):
            CACHE.clear()
            began = time.perf_counter()
            plan_for(version)
            taken.append(time.perf_counter() - began)
    CACHE.clear()
    return taken


def swap(folder: Path, version: Any, key: str, row: dict[str, float]) -> tuple[Pressed, float]:
    """Promote the version under load; returns what came back, and how many seconds later it answers."""
    from mlplatform.tenancy.actors import SYSTEM
    from mlplatform.tenancy.scope import tenant_scope
    from registry.services.promotion import promote

    port, found = free_port(), [Pressed()]
    web = platform_programs("127.0.0.1", port, web_workers=2)[-1]
    path, headers = "/api/v1/models/large/predict", {"Authorization": f"Bearer {key}"}
    asked = [post(port, path, {"row": row}, headers)]
    with running(web.command, port, folder / "web.log"):
        press(port, asked, connections=CONNECTIONS, seconds=2)

        def pressing() -> None:
            found[0] = press(port, asked, connections=CONNECTIONS, seconds=8)

        thread = threading.Thread(target=pressing)
        thread.start()
        time.sleep(1)
        with tenant_scope(version.tenant):
            promote(model=version.model, version=version, by=SYSTEM, reason="benchmark", override=True)
        promoted = time.perf_counter()
        while _answering(port, path, headers, row) != version.number:
            time.sleep(0.02)
        seconds = time.perf_counter() - promoted
        thread.join()
    return found[0], seconds


def _answering(port: int, path: str, headers: dict[str, str], row: dict[str, float]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    content = {"Content-Type": "application/json"}
    connection.request("POST", path, json.dumps({"row": row}), headers | content)
    told = json.loads(connection.getresponse().read())
    connection.close()
    return int(told["version"])


def main() -> int:
    """Measure and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=100.0)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="loading-") as name:
        env = {"ML_DATA_DIR": name, "ML_LIMIT_REQUESTS_PER_MINUTE": str(10**9)}
        os.environ.pop("DATABASE_URL", None)
        os.environ.update(env, DJANGO_SETTINGS_MODULE="mlplatform.settings")
        manage("migrate", "-v0")
        django.setup()
        _, version, key, row = prepare(options.megabytes)
        loads = load_seconds(version, options.rounds)
        pressed, seconds = swap(Path(name), version, key, row)
    bad, longest = pressed.statuses.total() - pressed.statuses[200], max(pressed.milliseconds) / 1000
    print(f"An artefact of {version.artifact_bytes / 1e6:.0f} MB; {options.rounds} loads")
    print(f"load: median {median(loads):.2f} s, longest {max(loads):.2f} s (bar: {BAR:g} s)")
    print(
        f"promoted under load: answers after {seconds:.2f} s; {pressed.statuses.total()} requests, {bad} bad"
    )
    print(f"the longest request {longest:.3f} s, 99th percentile {pressed.percentile(0.99):.1f} ms")
    return 0 if median(loads) < BAR and not bad and longest < median(loads) else 1


if __name__ == "__main__":
    sys.exit(main())
