"""The demonstration's eleven steps, with a real web server, worker and scheduler."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from mlplatform.running.stack import PROJECT_ROOT, free_port, running_stack
from tests.plugins.services import POSTGRES_URL, REDIS_URL

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


def manage(*arguments: str, database: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    env = {**os.environ, "DATABASE_URL": database}
    return subprocess.run(
        command, cwd=PROJECT_ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


@pytest.fixture
def own_database() -> Iterator[str]:
    """Yield the URL by which the application reaches a PostgreSQL database of this test's own."""
    name = f"acceptance_{uuid.uuid4().hex[:12]}"
    at = urlsplit(POSTGRES_URL)._replace(path=f"/{name}")
    host = at.netloc.rpartition("@")[2]
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            made = manage("setup_postgres", "--apply", "--json", "--prefix", name, database=urlunsplit(at))
            urls = {
                role: urlunsplit(at._replace(netloc=f"{role}:{password}@{host}"))
                for role, password in json.loads(made).items()
            }
            manage("migrate", "-v0", database=urls[f"{name}_owner"])
            yield urls[f"{name}_app"]
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            for role in ("owner", "app", "ops"):
                connection.execute(f"DROP ROLE IF EXISTS {name}_{role}")


@pytest.mark.needs_postgres
@pytest.mark.needs_redis
def test_demonstration_succeeds_on_postgresql_and_redis(tmp_path: Path, own_database: str) -> None:
    environment = {"DATABASE_URL": own_database, "CELERY_BROKER_URL": REDIS_URL}
    with running_stack(tmp_path, free_port(), environment) as stack:
        play("--url", stack.url, env=dict(stack.env))
