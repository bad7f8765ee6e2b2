"""A migrated database that is made once for each state of the migrations, and copied for tests.

Migrating takes many seconds, copying a moment. Each run begins with a copy, each worker of a parallel run has
its own, and so do the tests that start real processes on a database of their own. What is copied is kept
between runs: on SQLite as a file in the user's cache folder, on PostgreSQL as a database. Its name is a hash
of all that it is made from, so that a changed migration is migrated again.

A copy holds the tables that the migrations made and no others: ``refuse_foreign_tables`` sees to it, since
Django would add what a copy lacks.
"""

import fcntl
import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import django
import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from psycopg import sql

from tests.plugins.services import ROOT, manage

POSTGRES = "mlplatform_test_template_"  # and the state
KEPT = timedelta(days=7)  # without use


@cache
def state() -> str:
    """Return what names the present state of all that a migrated database is made from."""
    digest = hashlib.sha256(django.__version__.encode())
    for path in sources():
        digest.update(str(path.name).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def sources() -> list[Path]:
    """Return the files that decide what a migration makes.

    They are the migrations of every app, and of our own apps the models and the modules beside them too:
    migrations take the statements of the walls from there, and rights are made for each model.
    """
    found = [Path(__file__)]
    for app in apps.get_app_configs():
        folder = Path(app.path)
        found += folder.glob("migrations/*.py")
        if (ROOT / app.name.partition(".")[0]).is_dir():
            found += [*folder.glob("*.py"), *folder.rglob("models/*.py")]
    return sorted(set(found))


def kept_folder() -> Path:
    """Return the folder of what outlives the run."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "mlplatform-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Be the only one who makes the file."""
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def sqlite_template(folder: Path) -> Path:
    """Return the migrated SQLite file, which the first to ask has made."""
    template = folder / f"{state()}.sqlite3"
    with locked(template):
        if not template.exists():
            making = folder / f"making-{template.name}"
            making.unlink(missing_ok=True)
            manage("migrate", "-v0", DATABASE_URL=f"sqlite:///{making}")
            copy_sqlite(making, template)
            for left in folder.glob(f"{making.name}*"):
                left.unlink()
        template.touch()
    remove_old(folder)
    return template


def remove_old(folder: Path) -> None:
    """Remove the files of states that nobody has used for long."""
    before = (datetime.now(UTC) - KEPT).timestamp()
    for path in [*folder.glob("*.sqlite3"), *folder.glob("*.lock")]:
        with suppress(FileNotFoundError):  # another run may be as quick
            if path.stat().st_mtime < before:
                path.unlink()


def copy_sqlite(source: Path, target: Path) -> Path:
    """Copy an SQLite database with what its log still holds, and return the copy's path."""
    making = target.with_name(f"{target.name}.part")
    with closing(sqlite3.connect(source)) as given, closing(sqlite3.connect(making)) as made:
        given.backup(made)
    return making.replace(target)  # whole or not there at all


def begin_with_copy() -> None:
    """Have Django begin with a copy of the template instead of migrating the test database itself."""
    test: dict[str, Any] = connection.settings_dict["TEST"]
    if connection.vendor == "sqlite":
        copy_sqlite(sqlite_template(kept_folder()), Path(test["NAME"]))
    else:
        test["TEMPLATE"] = postgres_template()
    test["MIGRATE"] = False


def template_name() -> str:
    """Return the name of the template on PostgreSQL."""
    return f"{POSTGRES}{state()}"


def administrator() -> "psycopg.Connection[tuple[Any, ...]]":
    """Return a connection to the server's own database."""
    server = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path="/postgres"))
    return psycopg.connect(server, autocommit=True)


def noted(server: "psycopg.Connection[tuple[Any, ...]]") -> dict[str, dict[str, Any]]:
    """Return what was noted of each finished template: when it was made, and its tables."""
    rows = server.execute(
        "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database "
        "WHERE starts_with(datname, %s)",
        [POSTGRES],
    ).fetchall()
    return {str(name): json.loads(note) for name, note in rows if note}


def postgres_template() -> str:
    """Return the name of the migrated database, which the first to ask has made."""
    name = template_name()
    with administrator() as server:
        server.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])  # held until the connection ends
        known = noted(server)
        if name not in known:
            note = {"made": datetime.now(UTC).isoformat(), "tables": make_postgres_template(name)}
            comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
            server.execute(comment.format(sql.Identifier(name), sql.Literal(json.dumps(note))))
            drop_old(server, known)
    return name


def drop_old(server: "psycopg.Connection[tuple[Any, ...]]", templates: dict[str, dict[str, Any]]) -> None:
    """Drop the templates of states of long ago."""
    for name, note in templates.items():
        if datetime.now(UTC) - datetime.fromisoformat(note["made"]) > KEPT:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def make_postgres_template(name: str) -> list[str]:
    """Migrate the template as a test database is migrated, by the same roles, and return its tables."""
    given = connection.settings_dict["NAME"]
    test: dict[str, Any] = connection.settings_dict["TEST"]
    own = {key: test.get(key) for key in ("NAME", "TEMPLATE")}
    test |= {"NAME": name, "TEMPLATE": None}
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    tables = connection.introspection.table_names()
    connection.close()  # nobody may be connected to what is copied
    connection.settings_dict["NAME"] = settings.DATABASES[connection.alias]["NAME"] = given
    test |= own
    return tables


def migrated_tables() -> set[str]:
    """Return the tables of the template that this run began with."""
    if connection.vendor != "sqlite":
        with administrator() as server:
            return set(noted(server)[template_name()]["tables"])
    with closing(sqlite3.connect(sqlite_template(kept_folder()))) as template:
        rows = template.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {str(name) for (name,) in rows}


def refuse_foreign_tables(migrated: set[str]) -> None:
    """Raise RuntimeError where the test database has a table that no migration made."""
    if foreign := sorted(set(connection.introspection.table_names()) - migrated):
        raise RuntimeError(f"No migration makes {', '.join(foreign)}. Run manage.py makemigrations.")


@pytest.fixture(scope="session")
def migrated_sqlite() -> Callable[[Path], Path]:
    """Return a maker of migrated SQLite databases: ``migrated_sqlite(path)`` puts one there."""
    template = sqlite_template(kept_folder())
    return lambda target: copy_sqlite(template, target)
