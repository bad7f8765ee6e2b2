"""The demonstration's eleven steps, with a real web server, worker and scheduler."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlplatform.running.stack import PROJECT_ROOT, free_port, running_stack
from tests.plugins.services import REDIS_URL, own_database

pytestmark = pytest.mark.acceptance
DEADLINE_SECONDS = 360


def play(*arguments: str, env: dict[str, str] | None = None) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "manage.py", "demo", "--json", *arguments],
        cwd=PROJECT_ROOT,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for expected in ("11/11", "alert:", "passed", "404"):
        assert expected in done.stderr
    result: dict[str, object] = json.loads(done.stdout[done.stdout.index("{") :])
    return result


def test_demonstration_succeeds_with_nothing_installed(tmp_path: Path) -> None:
    result = play(env={"ML_DATA_DIR": str(tmp_path)})
    assert result["result"] == "every step succeeded"


@pytest.mark.needs_postgres
@pytest.mark.needs_redis
def test_demonstration_succeeds_on_postgresql_and_redis(tmp_path: Path) -> None:
    with own_database("acceptance") as database:
        environment = {"DATABASE_URL": database, "CELERY_BROKER_URL": REDIS_URL}
        with running_stack(tmp_path, free_port(), environment) as stack:
            play("--url", stack.url, env=dict(stack.env))
