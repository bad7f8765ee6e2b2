"""The production server with two processes under load: promotions, a clean stop, and a kill."""

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlplatform.running.ports import free_port
from mlplatform.running.programs import platform_programs
from registry.services.log_buffer import WINDOW

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).resolve().parents[2]
CALLERS = 6
RECONNECT_AFTER = 25  # requests: so that every process is asked again and again
READY_SECONDS = 60
WITHIN = 1.0  # second after a promotion every process answers by the new champion; half of it is the memory
SLACK = 0.5  # for a machine that has other things to do
SWAPS = 3
KILLED_SLACK = 1.0  # for what the writer needed for its last transaction
# Two versions that never give the same numbers, and the same champion with its log in the background.
SETUP = """
import json, sys, django
django.setup()
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Scope
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.api_keys import create_api_key
from mlplatform.tenancy.services.tenants import create_tenant
from registry.services.models import update_model
from registry.services.plans import plan_for
from registry.services.promotion import promote
from tests.factories import make_champion, make_dataset, make_model, make_version, rows_of, table

frame = table()
with tenant_scope(create_tenant(slug="clinic", name="Clinic", by=SYSTEM)):
    dataset = make_dataset()
    versions = []
    for strength in (1.0, 0.01):
        steps = make_pipeline(StandardScaler(), LogisticRegression(C=strength))
        pipeline = steps.fit(frame.drop(columns="diagnosis"), frame["diagnosis"])
        model = versions[0].model if versions else make_model()
        versions.append(make_version(model, dataset=dataset, pipeline=pipeline))
        promote(model=model, version=versions[-1], by=SYSTEM, reason="first", override=True)
    quick = make_champion(make_model("quick"), dataset=dataset, pipeline=pipeline)
    update_model(model=quick.model, changes={"log_writing": "background"}, by=SYSTEM)
    rows = rows_of(versions[0], 4)
    answers = {
        one.number: [answer.probabilities["benign"] for answer in plan_for(one).ask(rows).answers]
        for one in versions
    }
    key = create_api_key(name="test", scopes=Scope.values, by=SYSTEM).secret
print(json.dumps({"rows": rows, "answers": answers, "key": key}))
"""


@dataclass(frozen=True)
class Answered:
    """One answer: when it was asked for and when it was there, by the monotonic clock."""

    asked: float
    came: float
    status: int
    body: dict[str, Any]

    @property
    def ids(self) -> set[str]:
        """Of the rows in the log."""
        return {one["id"].replace("-", "") for one in self.body["predictions"]}


class Server:
    """The web server of a platform with two versions of ``cancer``, and what to ask it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "mlplatform.settings",
            "ML_DATA_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{folder / 'platform.sqlite3'}",
            "ML_LIMIT_REQUESTS_PER_MINUTE": "10000000",
        }
        done = subprocess.run(
            [sys.executable, "-c", SETUP], cwd=ROOT, env=self.env, check=True, stdout=subprocess.PIPE
        )
        told = json.loads(done.stdout.splitlines()[-1])
        self.expected: dict[int, list[float]] = {int(one): told["answers"][one] for one in told["answers"]}
        self.body = json.dumps({"rows": told["rows"]})
        self.headers = {"Authorization": f"Bearer {told['key']}", "Content-Type": "application/json"}

    def start(self) -> None:
        """Start it and wait until it answers."""
        web = platform_programs("127.0.0.1", self.port, web_workers=2)[-1]
        with (self.folder / "web.log").open("ab") as log:
            self.process = subprocess.Popen(
                web.command, cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
            )
        ends = time.monotonic() + READY_SECONDS
        while True:
            try:
                for name in ("cancer", "quick"):
                    with closing(self.connection()) as connection:
                        assert self.ask(connection, name).status == 200
                return
            except (OSError, http.client.HTTPException):
                assert time.monotonic() < ends, (self.folder / "web.log").read_text()[-3000:]
                time.sleep(0.05)

    def end(self, number: signal.Signals) -> None:
        """End it: by SIGTERM as the supervisor does, or by SIGKILL with all its processes."""
        if number is signal.SIGKILL:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        self.process.wait(20)

    def connection(self) -> http.client.HTTPConnection:
        """A new connection, to whichever process takes it."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def ask(self, connection: http.client.HTTPConnection, model: str) -> Answered:
        """Ask for answers to the rows."""
        asked = time.monotonic()
        connection.request("POST", f"/api/v1/models/{model}/predict", self.body, self.headers)
        response = connection.getresponse()
        body = json.loads(response.read())
        return Answered(asked, time.monotonic(), response.status, body)

    def roll_back(self, to: int) -> float:
        """Have this version answer; returns when that was promised."""
        asked = json.dumps({"to": to, "reason": "to and fro"})
        with closing(self.connection()) as connection:
            connection.request("POST", "/api/v1/models/cancer/rollback", asked, self.headers)
            response = connection.getresponse()
            assert response.status == 200, response.read()
            response.read()
        return time.monotonic()

    def logged(self) -> set[str]:
        """The ids in the log."""
        with closing(sqlite3.connect(self.folder / "platform.sqlite3", timeout=20)) as database:
            return {str(one) for (one,) in database.execute("SELECT id FROM registry_prediction")}


class Callers:
    """Threads that ask without a pause until they are stopped, or until the server is gone."""

    def __init__(self, server: Server, model: str) -> None:
        self.server, self.model = server, model
        self.answers: list[Answered] = []
        self.broken: list[Exception] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(CALLERS)]

    def __enter__(self) -> "Callers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def wait_for(self, more: int) -> None:
        """Return when so many more answers have come."""
        wanted, ends = len(self.answers) + more, time.monotonic() + READY_SECONDS
        while len(self.answers) < wanted:
            assert time.monotonic() < ends
            time.sleep(0.01)

    def _call(self) -> None:
        while not self._stop.is_set():
            with closing(self.server.connection()) as connection:
                for _ in range(RECONNECT_AFTER):
                    try:
                        self.answers.append(self.server.ask(connection, self.model))
                    except (OSError, http.client.HTTPException, ValueError) as error:
                        self.broken.append(error)
                        return
                    if self._stop.is_set():
                        return


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Callable[[Path], Path]
) -> Iterator[Server]:
    """A server that runs; whoever stops it starts it again."""
    folder = tmp_path_factory.mktemp("served")
    migrated_sqlite(folder / "platform.sqlite3")
    server = Server(folder)
    server.start()
    yield server
    if server.process.poll() is None:
        server.end(signal.SIGKILL)


def test_promotions_under_load_fail_no_request_and_hold_everywhere_within_a_second(server: Server) -> None:
    champion, promised = 2, 0.0
    with Callers(server, "cancer") as callers:
        callers.wait_for(50)
        for _ in range(SWAPS):
            champion = 3 - champion
            promised = server.roll_back(champion)
            ends = promised + WITHIN + SLACK
            while time.monotonic() < ends:
                time.sleep(0.02)
            settled = len(callers.answers)
            callers.wait_for(2 * CALLERS)
            late = [one.body["version"] for one in callers.answers[settled:] if one.asked > ends]
            assert set(late) == {champion}
    assert callers.broken == []
    assert {one.status for one in callers.answers} == {200}
    assert {one.body["version"] for one in callers.answers} == {1, 2}
    for one in callers.answers:
        found = [row["probabilities"]["benign"] for row in one.body["predictions"]]
        assert found == pytest.approx(server.expected[one.body["version"]], abs=1e-9)


def test_a_clean_stop_under_load_loses_no_row_of_the_background_log(server: Server) -> None:
    with Callers(server, "quick") as callers:
        callers.wait_for(200)
        server.end(signal.SIGTERM)
    stored = server.logged()
    assert {one.status for one in callers.answers} == {200}
    assert [one.asked for one in callers.answers if not one.ids <= stored] == []
    server.start()


def test_a_kill_loses_the_last_window_at_most(server: Server) -> None:
    with Callers(server, "quick") as callers:
        callers.wait_for(200)
        while callers.answers[-1].came - callers.answers[0].came < WINDOW + KILLED_SLACK + 0.3:
            callers.wait_for(10)
        killed = time.monotonic()
        server.end(signal.SIGKILL)
    stored = server.logged()
    lost = [one.came for one in callers.answers if not one.ids <= stored]
    assert killed - min(lost, default=killed) <= WINDOW + KILLED_SLACK
