"""Rows of real databases."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from mlplatform.errors import PlatformError
from mlplatform.outbound.errors import AddressRefused, AddressUnreachable
from mlplatform.tenancy.models import Tenant
from tests.plugins.services import MARIADB_URL, POSTGRES_URL
from tests.training.sources.places import (
    ROWS,
    fetch,
    mariadb_table,
    password_of,
    postgres_table,
    sqlite_file,
)
from training.errors import InvalidSource, SourceDown, SourceRefused

pytestmark = pytest.mark.usefixtures("in_tenant")
ALL = "select * from biopsies order by id"
ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) as c from n"


@pytest.fixture
def file(settings: Settings, tmp_path: Path) -> dict[str, Any]:
    """Settings that lead to a SQLite file in the operator's folder."""
    folder = tmp_path / "open"
    folder.mkdir()
    settings.SOURCE_FILES = str(folder)
    return {"engine": "sqlite", "database": sqlite_file(folder / "rows.db").name}


@pytest.fixture(
    params=[
        pytest.param("postgresql", marks=pytest.mark.needs_postgres),
        pytest.param("mysql", marks=pytest.mark.needs_mariadb),
    ]
)
def server(request: pytest.FixtureRequest, settings: Settings) -> Iterator[tuple[dict[str, Any], str]]:
    """Settings that lead to a database server, and the password."""
    url, table = (
        (POSTGRES_URL, postgres_table) if request.param == "postgresql" else (MARIADB_URL, mariadb_table)
    )
    with table() as place:
        settings.OUTBOUND_HOSTS = [f"{place['host']}:{place['port']}", place["host"]]
        yield place, password_of(url)


def test_a_file_is_read_with_bound_parameters(file: dict[str, Any], in_tenant: Tenant) -> None:
    query = "select id, size, :tenant_id as own from biopsies where clinic = :tenant_slug and size > :least"
    frame = fetch("sql", {**file, "query": query, "params": {"least": 5}})
    assert frame["id"].tolist() == list(range(21, ROWS + 1, 2))
    assert set(frame["own"]) == {in_tenant.pk}


def test_a_parameter_is_a_value_and_never_sql(file: dict[str, Any]) -> None:
    query = "select * from biopsies where clinic = :clinic"
    assert fetch("sql", {**file, "query": query, "params": {"clinic": "' or 1=1 --"}}).empty


@pytest.mark.parametrize(
    ("query", "params", "problem"),
    [
        ("select :a as a", {}, "names :a"),
        ("select 1 as a", {"a": 1}, "does not name :a"),
        ("select :tenant_slug as a", {"tenant_slug": "winery"}, "always the tenant's own"),
        ("select :a as a", {"a": 1, "b c": 2}, "named like :since"),
    ],
)
def test_parameters_and_names_must_agree(
    file: dict[str, Any], query: str, params: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidSource, match=problem):
        fetch("sql", {**file, "query": query, "params": params})


def test_a_file_is_read_only_whatever_the_parser_lets_through(
    file: dict[str, Any], settings: Settings
) -> None:
    from training.sources.databases import _sqlite, allowed_file

    path = allowed_file("rows.db")
    with closing(_sqlite(path, 5)) as opened:
        for statement in (
            "delete from biopsies", "attach database ':memory:' as x", "pragma query_only = off",
            "create temp table x (a)", "select load_extension('x')", "vacuum into '/tmp/sources-never'",
        ):  # fmt: skip
            with pytest.raises(sqlite3.DatabaseError):
                opened.execute(statement)
        assert opened.execute("select count(*) from biopsies").fetchone() == (ROWS,)


def test_an_endless_query_in_a_file_ends(file: dict[str, Any]) -> None:
    started = time.monotonic()
    with pytest.raises(SourceDown, match="longer than"):
        fetch("sql", {**file, "query": ENDLESS}, seconds=0.3)
    assert time.monotonic() - started < 5


def test_an_endless_value_in_a_file_is_refused(file: dict[str, Any]) -> None:
    with pytest.raises(SourceRefused):
        fetch("sql", {**file, "query": "select hex(zeroblob(100000000)) as a, 1 as b"})


def test_only_files_of_the_operators_folder_are_open(
    file: dict[str, Any], settings: Settings, tmp_path: Path
) -> None:
    outside = sqlite_file(tmp_path / "outside.db")
    Path(settings.SOURCE_FILES, "link.db").symlink_to(outside)
    for name in ("../outside.db", str(outside), "link.db", "missing.db", "", ".", "rows.db\x00", "a" * 150):
        with pytest.raises(InvalidSource):
            fetch("sql", {**file, "database": name, "query": ALL})
    settings.SOURCE_FILES = None
    with pytest.raises(InvalidSource, match="ML_SOURCE_FILES"):
        fetch("sql", {**file, "query": ALL})


def test_the_platforms_own_file_is_never_read(
    file: dict[str, Any], settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = sqlite_file(tmp_path / "own.db")
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    monkeypatch.setitem(settings.DATABASES["default"], "NAME", str(own))
    os.link(own, Path(settings.SOURCE_FILES, "hard.db"))
    with pytest.raises(InvalidSource, match="no file"):
        fetch("sql", {**file, "database": "hard.db", "query": ALL})
    settings.SOURCE_FILES, settings.DATA_DIR = str(tmp_path), tmp_path / "open"
    for name in ("own.db", "open/rows.db"):
        with pytest.raises(InvalidSource, match="no file"):
            fetch("sql", {**file, "database": name, "query": ALL})


def test_a_server_gives_the_same_rows(server: tuple[dict[str, Any], str], in_tenant: Tenant) -> None:
    place, password = server
    frame = fetch("sql", {**place, "query": ALL}, password)
    assert (len(frame), frame["id"].dtype.kind, frame["size"].iloc[3]) == (ROWS, "i", 1.0)
    query = "select id, :tenant_id as own from biopsies where clinic = :tenant_slug and id > :least"
    frame = fetch("sql", {**place, "query": query, "params": {"least": 35}}, password)
    assert frame["id"].tolist() == [37, 39]
    assert set(frame["own"].astype(int)) == {in_tenant.pk}


def test_a_preview_of_a_server_leaves_the_rest_unread(server: tuple[dict[str, Any], str]) -> None:
    place, password = server
    many = "select a.id, b.size, c.kind from biopsies a, biopsies b, biopsies c, biopsies d"
    started = time.monotonic()
    assert len(fetch("sql", {**place, "query": many}, password, sample=20)) == 20
    with pytest.raises(SourceRefused, match="more than 3,000 rows"):
        fetch("sql", {**place, "query": many}, password, rows=3_000)
    assert time.monotonic() - started < 10


def test_a_server_refuses_to_write_whatever_the_parser_lets_through(
    server: tuple[dict[str, Any], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.sources import sql
    from training.sources.statements import Statement

    place, password = server
    for query in ("delete from biopsies", "create table x (a int)", "select 1; delete from biopsies"):
        monkeypatch.setattr(sql.SqlSettings, "statement", lambda self: Statement(self.query, frozenset()))
        with pytest.raises((SourceRefused, SourceDown)):
            fetch("sql", {**place, "query": query}, password)
    monkeypatch.undo()
    assert len(fetch("sql", {**place, "query": ALL}, password)) == ROWS


def test_a_slow_query_of_a_server_ends(server: tuple[dict[str, Any], str]) -> None:
    place, password = server
    slow = "select count(*) as n from " + ", ".join(f"biopsies b{number}" for number in range(7))  # noqa: S608
    started = time.monotonic()
    with pytest.raises(SourceDown):
        fetch("sql", {**place, "query": slow}, password, seconds=0.5)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"port": 1}, AddressUnreachable),
        ({"username": "nobody-of-this-name"}, SourceDown),
        ({"tls": "verify"}, SourceDown),
        ({"query": "select nothing from biopsies"}, SourceRefused),
        ({"query": "select * from missing"}, SourceRefused),
        ({"database": "dbname=postgres"}, InvalidSource),
        ({"host": "/var/run/postgresql"}, AddressRefused),
        ({"host": "127.0.0.1,8.8.8.8"}, AddressRefused),
        ({"host": "", "port": None}, AddressRefused),
    ],
)
def test_trouble_is_told_in_a_sentence(
    server: tuple[dict[str, Any], str], changes: dict[str, Any], error: type[PlatformError]
) -> None:
    place, password = server
    with pytest.raises(error) as told:
        fetch("sql", {**place, "query": ALL, **changes}, password)
    assert "Traceback" not in told.value.detail


def test_a_server_inside_is_not_open_unless_named(
    server: tuple[dict[str, Any], str], settings: Settings
) -> None:
    place, password = server
    settings.OUTBOUND_HOSTS = []
    with pytest.raises(AddressRefused):
        fetch("sql", {**place, "query": ALL, "tls": "require"}, password)


@pytest.mark.needs_postgres
def test_the_platforms_own_database_is_never_read(settings: Settings) -> None:
    own = connection.settings_dict
    place = {
        "engine": "postgresql",
        "host": own["HOST"],
        "port": int(own["PORT"] or 5432),
        "username": own["USER"],
    }
    place |= {"database": own["NAME"], "tls": "off", "query": "select 1 as a"}
    settings.OUTBOUND_HOSTS = [own["HOST"]]
    with pytest.raises(AddressRefused, match="platform"):
        fetch("sql", {**place, "database": "postgres"}, own["PASSWORD"])
    settings.OUTBOUND_HOSTS = [own["HOST"], f"{own['HOST']}:{place['port']}"]
    with pytest.raises(AddressRefused, match="own database"):
        fetch("sql", place, own["PASSWORD"])
