"""Real places that sources read: files, databases, a store that speaks S3."""

import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx
import psycopg
from botocore.config import Config

from tests.mlplatform.identity.provider import free_port
from tests.plugins.services import MARIADB_URL, POSTGRES_URL, mariadb_connection
from training.sources.budget import Budget
from training.sources.kinds import get_kind, parsed

ROWS = 40
PATIENCE = 20.0  # seconds
CREATE = "CREATE TABLE biopsies (id INTEGER, clinic VARCHAR(20), size FLOAT, kind VARCHAR(20))"
INSERT = "INSERT INTO biopsies VALUES ({0}, {0}, {0}, {0})"


def records(count: int = ROWS) -> list[dict[str, Any]]:
    """Return rows of the clinic and of others."""
    return [
        {
            "id": number,
            "clinic": "clinic" if number % 2 else "winery",
            "size": number / 4,
            "kind": "benign" if number % 3 else "malignant",
        }
        for number in range(1, count + 1)
    ]


def values() -> list[tuple[Any, ...]]:
    """Return the same rows as tuples."""
    return [tuple(row.values()) for row in records()]


def budget(**changes: Any) -> Budget:
    """Return a budget that suffices."""
    return Budget(**{"rows": 10_000, "bytes": 10_000_000, "seconds": 20.0, **changes})


def fetch(kind: str, settings: dict[str, Any], secret: str = "", **changes: Any) -> Any:
    """Read a place as a source of this kind."""
    how = get_kind(kind)
    return how.fetch(parsed(how, settings), secret, budget(**changes), None)


def sqlite_file(path: Path) -> Path:
    """Make a SQLite file with the rows."""
    with closing(sqlite3.connect(path)) as opened, opened:
        opened.execute(CREATE)
        opened.executemany(INSERT.format("?"), values())
    return path


@contextmanager
def postgres_table() -> Iterator[dict[str, Any]]:
    """Make a PostgreSQL database with the rows; yield the settings that lead there, and the password."""
    name, at = f"source_{uuid.uuid4().hex[:12]}", urlsplit(POSTGRES_URL)
    with psycopg.connect(POSTGRES_URL, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            with psycopg.connect(at._replace(path=f"/{name}").geturl(), autocommit=True) as opened:
                opened.execute(CREATE)
                opened.cursor().executemany(INSERT.format("%s"), values())
            yield {
                "engine": "postgresql",
                "host": at.hostname,
                "port": at.port or 5432,
                "database": name,
                "username": at.username,
                "tls": "off",
            }
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def mariadb_table() -> Iterator[dict[str, Any]]:
    """Make a MariaDB database with the rows; yield the settings that lead there."""
    name, at = f"source_{uuid.uuid4().hex[:12]}", urlsplit(MARIADB_URL)
    with closing(mariadb_connection()) as server, server.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            cursor.execute(CREATE.replace("biopsies", f"{name}.biopsies"))
            cursor.executemany(INSERT.format("%s").replace("biopsies", f"{name}.biopsies"), values())
            yield {
                "engine": "mysql",
                "host": at.hostname,
                "port": at.port or 3306,
                "database": name,
                "username": at.username,
                "tls": "off",
            }
        finally:
            cursor.execute(f"DROP DATABASE {name}")


def password_of(url: str) -> str:
    """Return the password in a URL, empty where there is none."""
    return urlsplit(url).password or ""


@contextmanager
def s3_store() -> Iterator[str]:
    """Run a store that speaks S3, in a process of its own; yield its address."""
    port = free_port()
    command = (sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE
    try:
        while True:
            try:
                httpx.get(f"{url}/moto-api/", trust_env=False)
                break
            except httpx.TransportError:
                assert process.poll() is None, "the store ended"
                assert time.monotonic() < deadline, "the store does not answer"
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE)


def s3_put(url: str, key: str, content: bytes) -> dict[str, Any]:
    """Store an object; return the settings that lead there."""
    client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(request_checksum_calculation="when_required", s3={"addressing_style": "path"}),
    )
    client.create_bucket(Bucket="rows")
    client.put_object(Bucket="rows", Key=key, Body=content)
    return {"endpoint": url, "bucket": "rows", "key": key, "access_key_id": "key"}
