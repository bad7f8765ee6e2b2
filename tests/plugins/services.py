"""Whether the servers that some tests need can be reached from here, and if not, what to do."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pymysql
import redis

POSTGRES_URL = os.environ.get("ML_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS_URL = os.environ.get("ML_TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
MARIADB_URL = os.environ.get("ML_TEST_MARIADB_URL", "mysql://root@127.0.0.1:3306")
CONNECT_SECONDS = 3
ROOT = Path(__file__).resolve().parents[2]


def postgres_problem(url: str = POSTGRES_URL) -> str | None:
    """Return why PostgreSQL cannot be used for tests, with what to do about it; None where it can."""
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_SECONDS, autocommit=True) as connection:
            row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    except psycopg.Error as error:
        first_line = next(iter(str(error).splitlines()), type(error).__name__)
        what = f"PostgreSQL does not answer at {shown(url)} ({first_line})."
        return f"{what} Start it, or set ML_TEST_POSTGRES_URL."
    if row is None or not row[0]:
        return f"The role in {shown(url)} is no superuser, and the tests make roles. Name one that is."
    return None


def redis_problem(url: str = REDIS_URL) -> str | None:
    """Return why Redis cannot be used for tests, with what to do about it; None where it can."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=CONNECT_SECONDS) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        return f"Redis does not answer at {shown(url)} ({error}). Start it, or set ML_TEST_REDIS_URL."
    return None


def mariadb_connection(url: str = MARIADB_URL) -> pymysql.Connection:
    """Return a connection to the test's own MariaDB or MySQL server, which may make databases."""
    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=parts.username,
        password=parts.password or "",
        connect_timeout=CONNECT_SECONDS,
        autocommit=True,
    )


def mariadb_problem(url: str = MARIADB_URL) -> str | None:
    """Return why MariaDB cannot be used for tests, with what to do about it; None where it can."""
    try:
        mariadb_connection(url).close()
    except (pymysql.Error, OSError) as error:
        return f"MariaDB does not answer at {shown(url)} ({error}). Start it, or set ML_TEST_MARIADB_URL."
    return None


def pgbouncer_program() -> str | None:
    """Return where the pool for PostgreSQL is installed; packages put it where not every PATH looks."""
    return shutil.which("pgbouncer", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")


def pgbouncer_problem() -> str | None:
    """Return why pgbouncer cannot be used for tests; None where it can."""
    return None if pgbouncer_program() else "pgbouncer is not installed. Install the package pgbouncer."


def shown(url: str) -> str:
    """Return a URL without its password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def manage(*arguments: str, **env: str) -> str:
    """Run a command of the platform in a process of its own and return what it prints."""
    command = [sys.executable, "manage.py", *arguments]
    full = {**os.environ, **env}
    return subprocess.run(command, cwd=ROOT, env=full, check=True, stdout=subprocess.PIPE, text=True).stdout


@contextmanager
def own_database(purpose: str) -> Iterator[str]:
    """Make a PostgreSQL database with the platform's roles, migrated; yield the application's URL of it."""
    name = f"{purpose}_{uuid.uuid4().hex[:12]}"
    at = urlsplit(POSTGRES_URL)._replace(path=f"/{name}")
    host = at.netloc.rpartition("@")[2]
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            made = manage(
                "setup_postgres", "--apply", "--json", "--prefix", name, DATABASE_URL=urlunsplit(at)
            )
            urls = {
                role: urlunsplit(at._replace(netloc=f"{role}:{password}@{host}"))
                for role, password in json.loads(made).items()
            }
            manage("migrate", "-v0", DATABASE_URL=urls[f"{name}_owner"])
            yield urls[f"{name}_app"]
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            for role in ("owner", "app", "ops"):
                connection.execute(f"DROP ROLE IF EXISTS {name}_{role}")
