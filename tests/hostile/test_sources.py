"""Lines 23 to 25 of docs/hostile-inputs.md through the API: what sources are asked, and where they lead."""

import socket
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings
from rest_framework.test import APIClient

from mlplatform.tenancy.models import Tenant
from tests.hostile.conftest import actions
from tests.training.sources.places import sqlite_file
from tests.web import Said, web_server

TRY = "/api/v1/sources/try"
SAFE = "select * from biopsies"
ADDRESSES = [
    "http://127.0.0.1/", "http://[::1]/", "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/",
    "http://0.0.0.0/", "http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://[::ffff:127.0.0.1]/",
    "http://localhost./", "http://example.com@127.0.0.1/", "http://127.0.0.1#@example.com/",
    "http://127.1/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_x", "ftp://127.0.0.1/x", "http://127.0.0.1:22/",
    "http://127.0.0.1:6379/", "//127.0.0.1/", "http://127.0.0.1\r\nHost: x/", "http://\u2460\u2461\u2466.0.0.1/",
]  # fmt: skip


def tried(client: APIClient, kind: str, given: dict[str, Any], secret: str = "") -> Any:
    return client.post(TRY, {"kind": kind, "settings": given, "secret": secret})


@pytest.fixture
def file(settings: Settings, tmp_path: Path) -> dict[str, Any]:
    """A SQLite file that may be read."""
    settings.SOURCE_FILES = str(tmp_path)
    return {"engine": "sqlite", "database": sqlite_file(tmp_path / "rows.db").name}


@pytest.mark.parametrize(
    "query",
    [
        "select 1; drop table biopsies",
        "delete from biopsies",
        "with gone as (delete from biopsies returning *) select * from gone",
        "copy biopsies to program 'sh'",
        "select pg_read_file('/etc/passwd')",
        "select set_config('app.tenant_id', '2', false)",
        "attach database '/etc/passwd' as x",
        "select load_extension('/tmp/x.so')",
        "select 1 /*! into outfile '/tmp/x' */",
        "pragma journal_mode = off",
    ],
)
def test_23_what_is_not_one_select_is_refused(client: APIClient, file: dict[str, Any], query: str) -> None:
    refused = tried(client, "sql", {**file, "query": query})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_source")
    assert "query" in refused.json()["errors"]
    assert len(tried(client, "sql", {**file, "query": SAFE}).json()["rows"]) == 20


def test_23_an_endless_query_ends(client: APIClient, file: dict[str, Any], settings: Settings) -> None:
    settings.SOURCE_REQUEST_SECONDS = 0.3
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) as c from n"
    started = time.monotonic()
    refused = tried(client, "sql", {**file, "query": endless})
    assert (refused.status_code, refused.json()["code"]) == (503, "source_timeout")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("kind", ["rest", "s3"])
def test_24_addresses_that_lead_inside_are_refused(client: APIClient, address: str, kind: str) -> None:
    given = {"url": address} if kind == "rest" else {"endpoint": address, "bucket": "b", "key": "k"}
    refused = tried(client, kind, given)
    assert (refused.status_code, refused.json()["code"]) == (422, "address_refused")


def test_24_a_refusal_is_recorded_and_the_inside_is_never_asked(client: APIClient, tenant: Tenant) -> None:
    with web_server(lambda _: Said(body=b"[]")) as server:
        assert tried(client, "rest", {"url": server.url}).json()["code"] == "address_refused"
        database = {"engine": "postgresql", "host": "127.0.0.1", "port": server.port, "database": "x"}
        database |= {"query": "select 1 as a", "tls": "require"}
        assert tried(client, "sql", database).json()["code"] == "address_refused"
    assert server.asked == []
    assert "source.refused" in actions(tenant)


def test_24_a_redirect_inside_is_refused(client: APIClient, settings: Settings) -> None:
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    away = Said(302, {"Location": "http://127.0.0.2:9999/"})
    with web_server(lambda _: away) as server:
        assert tried(client, "rest", {"url": server.url}).json()["code"] == "address_refused"


def test_24_who_never_answers_is_left(client: APIClient, settings: Settings) -> None:
    settings.OUTBOUND_HOSTS, settings.SOURCE_REQUEST_SECONDS = ["127.0.0.1"], 0.3
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = {"engine": "mysql", "host": "127.0.0.1", "port": silent.getsockname()[1], "tls": "off"}
        place |= {"database": "x", "username": "x", "query": "select 1 as a"}
        for kind, given in (("rest", {"url": f"http://127.0.0.1:{place['port']}/"}), ("sql", place)):
            assert tried(client, kind, given).status_code == 503
    assert time.monotonic() - started < 8


@pytest.mark.parametrize(
    "host", ["/var/run/postgresql", "@x", "", "127.0.0.1,8.8.8.8", "a=b", "x y", "localhost"]
)
def test_25_sockets_and_inner_hosts_are_no_database(client: APIClient, host: str) -> None:
    place = {"engine": "postgresql", "host": host, "database": "x", "query": "select 1 as a"}
    assert tried(client, "sql", place).json()["code"] == "address_refused"


def test_25_the_platforms_own_services_are_refused(client: APIClient, settings: Settings) -> None:
    settings.OUTBOUND_HOSTS = ["127.0.0.1", "localhost"]
    settings.DATABASE_URL = "postgresql://app:x@localhost:5999/own"
    settings.CACHE_URL = "redis://127.0.0.1:7999/0"
    place = {"engine": "postgresql", "host": "127.0.0.1", "port": 5999, "database": "x", "tls": "off"}
    refused = tried(client, "sql", {**place, "query": "select 1 as a"}).json()
    assert (refused["code"], "platform itself" in refused["detail"]) == ("address_refused", True)
    refused = tried(client, "rest", {"url": "http://localhost:7999/"}).json()
    assert (refused["code"], "platform itself" in refused["detail"]) == ("address_refused", True)


def test_25_the_platforms_own_file_is_no_source(
    client: APIClient, settings: Settings, file: dict[str, Any], tmp_path: Path
) -> None:
    own = Path(connection.settings_dict["NAME"]) if connection.vendor == "sqlite" else tmp_path / "own.db"
    for name in (str(own), f"../{own.name}", "../../etc/passwd", "rows.db/../../x"):
        refused = tried(client, "sql", {**file, "database": name, "query": "select * from sqlite_master"})
        assert refused.json()["code"] == "invalid_source"
