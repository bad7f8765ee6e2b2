"""Whether the servers that some tests need can be reached from here, and if not, what to do."""

import os
from urllib.parse import urlsplit

import psycopg
import redis

POSTGRES_URL = os.environ.get("ML_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS_URL = os.environ.get("ML_TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
CONNECT_SECONDS = 3


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


def shown(url: str) -> str:
    """Return a URL without its password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
