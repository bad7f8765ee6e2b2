"""Behind a real pgbouncer in transaction mode: two tenants, fewer connections to the server than clients."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import psycopg
import pytest
from django.db import connection
from django.test import Client

from mlplatform.running.ports import free_port
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import ApiKey, Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.api_keys import create_api_key
from mlplatform.tenancy.services.tenants import create_tenant
from tests.plugins.application_role import ROLES, whole_database
from tests.plugins.services import pgbouncer_program

pytestmark = [
    pytest.mark.needs_postgres,
    pytest.mark.needs_pgbouncer,
    pytest.mark.django_db(transaction=True),
]
CLIENTS, SERVER_CONNECTIONS, ROUNDS = 6, 2, 8
PASSWORD = "of-this-test-alone"
STARTED = 10  # seconds
CONFIGURATION = """
[databases]
{name} = host={host} port={port} dbname={name}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
auth_type = plain
auth_file = {users}
pool_mode = transaction
default_pool_size = {size}
query_wait_timeout = 1
ignore_startup_parameters = extra_float_digits,options
"""


@pytest.fixture
def application_password(transactional_db: None) -> Iterator[None]:
    """Let the application's role sign in by itself, as it does in production."""
    with whole_database(), connection.cursor() as cursor:
        cursor.execute(f"ALTER ROLE {ROLES.application} LOGIN PASSWORD '{PASSWORD}'")
    yield
    with whole_database(), connection.cursor() as cursor:
        cursor.execute(f"ALTER ROLE {ROLES.application} PASSWORD NULL")


@pytest.fixture
def pool(tmp_path: Path, application_password: None) -> Iterator[Callable[[], psycopg.Connection]]:
    """Run a pool before the test database; yields what opens a plain connection through it.

    Django's own connections go through it, too, signed in as the application, without any superuser behind.
    """
    there, listen = dict(connection.settings_dict), free_port()
    users, configuration = tmp_path / "users.txt", tmp_path / "pgbouncer.ini"
    users.write_text(f'"{ROLES.application}" "{PASSWORD}"\n')
    configuration.write_text(
        CONFIGURATION.format(
            name=there["NAME"],
            host=there["HOST"] or "127.0.0.1",
            port=there["PORT"] or 5432,
            listen=listen,
            users=users,
            size=SERVER_CONNECTIONS,
        )
    )
    # It refuses to run as root, which the machine of a container often is.
    as_user = ("--user", "nobody") if os.geteuid() == 0 else ()
    for path in (tmp_path, users, configuration, *tmp_path.parents[:2]):
        path.chmod(0o755)
    program = pgbouncer_program()
    assert program is not None
    at = {"HOST": "127.0.0.1", "PORT": listen, "USER": ROLES.application, "PASSWORD": PASSWORD}

    def open_plain() -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=listen,
            user=ROLES.application,
            password=PASSWORD,
            dbname=there["NAME"],
            autocommit=True,
            prepare_threshold=None,
        )

    with subprocess.Popen([program, *as_user, "--quiet", str(configuration)]) as server:
        try:
            _wait(open_plain)
            connection.close()
            connection.settings_dict.update(at, DISABLE_SERVER_SIDE_CURSORS=True)
            yield open_plain
        finally:
            connection.close()
            connection.settings_dict.update(there)
            server.terminate()


def _wait(open_plain: Callable[[], psycopg.Connection]) -> None:
    deadline = time.monotonic() + STARTED
    while True:
        try:
            open_plain().close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def keys(transactional_db: None) -> dict[str, str]:
    """Two tenants with one key each, made before the pool stands: the secret by the tenant's short name."""
    made = {}
    for slug in ("clinic", "winery"):
        tenant = create_tenant(slug=slug, name=slug, by=SYSTEM)
        with tenant_scope(tenant):
            made[slug] = create_api_key(name=f"key of the {slug}", scopes=["admin"], by=SYSTEM).secret
    return made


def test_interleaved_requests_see_their_own_tenants_rows_alone(
    keys: dict[str, str], pool: Callable[[], psycopg.Connection]
) -> None:
    start, servers = Barrier(CLIENTS), set()

    def ask(place: int) -> list[set[str]]:
        slug = ("clinic", "winery")[place % 2]
        client = Client(headers={"Authorization": f"Bearer {keys[slug]}"})
        start.wait(timeout=30)
        seen = []
        for _ in range(ROUNDS):
            answer = client.get("/api/v1/api-keys")
            assert answer.status_code == 200, answer.content
            seen.append({row["name"] for row in answer.json()["results"]})
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                servers.add(cursor.fetchone()[0])
        connection.close()
        return seen

    with ThreadPoolExecutor(CLIENTS) as threads:
        answers = list(threads.map(ask, range(CLIENTS)))
    for place, seen in enumerate(answers):
        assert seen == [{f"key of the {('clinic', 'winery')[place % 2]}"}] * ROUNDS
    assert len(servers) == SERVER_CONNECTIONS


def test_a_connection_that_served_a_tenant_shows_the_next_one_nothing(
    keys: dict[str, str], pool: Callable[[], psycopg.Connection]
) -> None:
    tenant = Tenant.objects.get(slug="clinic")
    with tenant_scope(tenant):
        assert ApiKey.objects.count() == 1
    servers = set()
    for _ in range(2 * SERVER_CONNECTIONS):
        with pool() as plain:
            row = plain.execute(
                "SELECT pg_backend_pid(), current_setting('app.tenant_id', true),"
                " (SELECT count(*) FROM tenancy_apikey), current_user"
            ).fetchone()
            assert row is not None
            servers.add(row[0])
            assert (row[1] or "", row[2], row[3]) == ("", 0, ROLES.application)
    assert 1 <= len(servers) <= SERVER_CONNECTIONS


def test_an_exhausted_pool_is_answered_503_and_recovers(
    keys: dict[str, str], pool: Callable[[], psycopg.Connection]
) -> None:
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {keys['clinic']}"})
    holders = [pool() for _ in range(SERVER_CONNECTIONS)]
    for holder in holders:
        holder.execute("BEGIN")
        holder.execute("SELECT 1")
    answer = client.get("/api/v1/api-keys")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_busy")
    assert answer["Retry-After"] == "2"
    for holder in holders:
        holder.execute("ROLLBACK")
        holder.close()
    connection.close()
    answer = client.get("/api/v1/api-keys")
    assert [row["name"] for row in answer.json()["results"]] == ["key of the clinic"]
