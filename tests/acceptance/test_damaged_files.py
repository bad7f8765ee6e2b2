"""Files that are really damaged, under a real server with real workers: who answers, and who is told."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from mlplatform.running.stack import PROJECT_ROOT, Stack, free_port, running_stack

pytestmark = pytest.mark.acceptance
DEADLINE_SECONDS = 60
PREPARE = """
import json, sys
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.api_keys import create_api_key
from mlplatform.tenancy.services.tenants import add_member, create_tenant
from registry.services.promotion import promote
from tests.factories import make_champion, make_dataset, make_version, rows_of, table
from training.services.twin_making import make_twin_of

with tenant_scope(create_tenant(slug="clinic", name="Clinic", by=SYSTEM)):
    add_member(email="operator@clinic.example", role="operator", by=SYSTEM)
    key = create_api_key(name="test", scopes=["predict", "read"], by=SYSTEM).secret
    first = make_champion()
    second = make_version(first.model, dataset=make_dataset(frame=table().head(300)))
    promote(model=first.model, version=second, by=SYSTEM, reason="x", override=True)
    make_twin_of(version=second, by=SYSTEM)
    told = {"key": key, "row": rows_of(second)[0], "artifact": second.artifact_file, "twin": second.twin_file}
print("FOUND" + json.dumps(told))
"""


@pytest.fixture
def prepared(tmp_path: Path, migrated_sqlite: Callable[[Path], Path]) -> dict[str, Any]:
    """A tenant with two champions, the second with a twin."""
    migrated_sqlite(tmp_path / "platform.sqlite3")
    environment = os.environ | {"ML_DATA_DIR": str(tmp_path)}
    environment["DATABASE_URL"] = f"sqlite:///{tmp_path / 'platform.sqlite3'}"
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", PREPARE],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.partition("FOUND")[2])
    return found | {"folder": tmp_path, "database": environment["DATABASE_URL"]}


def wait_for(met: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (found := met()):
        assert time.monotonic() < deadline, f"Waited in vain for {what}."
        time.sleep(0.1)
    return found


class Server:
    """The whole platform on the prepared folder, asked with the key."""

    def __init__(self, prepared: dict[str, Any], stack: Stack) -> None:
        self.folder: Path = prepared["folder"]
        self.row, self.stack = prepared["row"], stack
        self.http = httpx.Client(
            base_url=f"{stack.url}/api/v1",
            headers={"Authorization": f"Bearer {prepared['key']}"},
            timeout=30,
            trust_env=False,
        )

    def ask(self, **more: Any) -> httpx.Response:
        """Ask for one row."""
        return self.http.post("/models/cancer/predict", json={"row": self.row, **more})

    def answer(self) -> tuple[Any, ...]:
        """Return which version answered, instead of which, and by what engine."""
        response = self.ask()
        assert response.status_code == 200, response.text
        body = response.json()
        return body["version"], body["instead_of"], body["engine"]

    def start_afresh(self) -> None:
        """Kill the web server's processes; the supervisor starts new ones, which hold nothing in memory."""
        [before] = [state.pid for state in self.stack.states() if state.name == "web"]
        os.killpg(before, signal.SIGKILL)
        wait_for(lambda: self._web_pid() not in {0, before}, "the web server to be started again")
        self.stack.wait_until_ready(DEADLINE_SECONDS)

    def _web_pid(self) -> int:
        return next((state.pid for state in self.stack.states() if state.name == "web"), 0)

    def alerts(self) -> list[tuple[str, str]]:
        """Return cause and state of every alert."""
        connection = sqlite3.connect(self.folder / "platform.sqlite3", timeout=20)
        try:
            return connection.execute("SELECT cause, state FROM monitoring_alert ORDER BY id").fetchall()
        finally:
            connection.close()

    def letters(self) -> str:
        """Return what the processes wrote, letters among it."""
        return "".join(log.read_text(errors="replace") for log in (self.folder / "logs").glob("*.log"))


def test_damaged_files_under_a_real_server(prepared: dict[str, Any]) -> None:
    folder: Path = prepared["folder"]
    artifact, twin = (folder / "files" / prepared[kind] for kind in ("artifact", "twin"))
    address = {"DATABASE_URL": prepared["database"]}
    with running_stack(folder, free_port(), address) as stack, ExitStack() as closing:
        server = Server(prepared, stack)
        closing.callback(server.http.close)
        assert {server.answer() for _ in range(20)} == {(2, None, "onnx")}
        whole, whole_twin = artifact.read_bytes(), twin.read_bytes()
        artifact.write_bytes(whole[:-9] + b"tampered!")
        assert {server.answer() for _ in range(20)} == {(2, None, "onnx")}  # from memory

        server.start_afresh()
        assert {server.answer()[:2] for _ in range(20)} == {(1, 2)}
        assert server.ask(version=2).status_code == 503
        wait_for(lambda: server.alerts() == [("artifact", "open")], "the alert")
        wait_for(lambda: "To: operator@clinic.example" in server.letters(), "the letter")
        artifact.write_bytes(whole)
        wait_for(lambda: server.answer()[:2] == (2, None), "the champion to answer again")

        twin.write_bytes(whole_twin[:100])
        server.start_afresh()
        assert {server.answer() for _ in range(20)} == {(2, None, "original")}
        wait_for(lambda: server.alerts()[1:] == [("twin", "open")], "the twin's alert")
        wait_for(lambda: server.alerts()[0] == ("artifact", "resolved"), "the first alert to be resolved")
        assert len(server.alerts()) == 2
