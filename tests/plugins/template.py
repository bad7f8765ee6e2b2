"""A migrated database that is made once in a run, and copied wherever a test needs one.

Migrating takes many seconds, copying a moment. Each worker of a parallel run begins with a copy, and so do
the tests that start real processes on a database of their own. A copy holds the tables that the migrations
made and no others: ``refuse_foreign_tables`` sees to it, since Django would add what a copy lacks.
"""

import fcntl
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg import sql

from tests.plugins.services import manage

PARALLEL = "PYTEST_XDIST_WORKER" in os.environ
SQLITE_TEMPLATE = "template.sqlite3"


def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all workers of this run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if PARALLEL else own


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only worker that makes something in the folder."""
    with (folder / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def sqlite_template(folder: Path) -> Path:
    """Return the migrated SQLite file of this run, which the first to ask has made."""
    template = folder / SQLITE_TEMPLATE
    with locked(folder):
        if not template.exists():
            making = folder / f"making-{SQLITE_TEMPLATE}"
            making.unlink(missing_ok=True)
            manage("migrate", "-v0", DATABASE_URL=f"sqlite:///{making}")
            copy_sqlite(making, template)
    return template


def copy_sqlite(source: Path, target: Path) -> Path:
    """Copy an SQLite database with what its log still holds, and return the copy's path."""
    making = target.with_name(f"{target.name}.part")
    with closing(sqlite3.connect(source)) as given, closing(sqlite3.connect(making)) as made:
        given.backup(made)
    return making.replace(target)  # whole or not there at all


def begin_with_copy(folder: Path) -> None:
    """Have Django begin with a copy of the template instead of migrating the test database itself."""
    test: dict[str, Any] = connection.settings_dict["TEST"]
    if connection.vendor == "sqlite":
        copy_sqlite(sqlite_template(folder), Path(test["NAME"]))
    else:
        test["TEMPLATE"] = template_name()
        with locked(folder):
            if not (folder / "tables.json").exists():
                make_postgres_template(folder)
    test["MIGRATE"] = False


def template_name() -> str:
    """Return the name of the template on PostgreSQL, which differs from those of all test databases."""
    return f"test_{urlsplit(os.environ['DATABASE_URL']).path.lstrip('/')}_template"


def make_postgres_template(folder: Path) -> None:
    """Migrate the template as a test database is migrated, by the same roles, and note its tables."""
    given = connection.settings_dict["NAME"]
    test: dict[str, Any] = connection.settings_dict["TEST"]
    own = {name: test[name] for name in ("NAME", "TEMPLATE")}
    test |= {"NAME": template_name(), "TEMPLATE": None}
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    (folder / "tables.json").write_text(json.dumps(connection.introspection.table_names()), encoding="utf-8")
    connection.close()  # nobody may be connected to what is copied
    connection.settings_dict["NAME"] = settings.DATABASES[connection.alias]["NAME"] = given
    test |= own


def refuse_foreign_tables(folder: Path) -> None:
    """Raise RuntimeError where the test database has a table that no migration made."""
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(folder / SQLITE_TEMPLATE)) as template:
            rows = template.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        migrated = {str(name) for (name,) in rows}
    else:
        migrated = set(json.loads((folder / "tables.json").read_text(encoding="utf-8")))
    if foreign := sorted(set(connection.introspection.table_names()) - migrated):
        raise RuntimeError(f"No migration makes {', '.join(foreign)}. Run manage.py makemigrations.")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Drop the template on PostgreSQL when all workers are done with it."""
    url = os.environ.get("DATABASE_URL", "")
    if PARALLEL or not url.startswith("postgres") or not getattr(config.option, "numprocesses", None):
        return
    server = urlunsplit(urlsplit(url)._replace(path="/postgres"))
    with psycopg.connect(server, autocommit=True) as administrator:
        administrator.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(template_name())))


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Return a maker of migrated SQLite databases: ``migrated_sqlite(path)`` puts one there."""
    template = sqlite_template(run_folder(tmp_path_factory))
    return lambda target: copy_sqlite(template, target)
