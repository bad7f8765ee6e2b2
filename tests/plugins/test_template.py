"""The migrated database that a run makes once and copies."""

import json
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from tests.plugins.template import SQLITE_TEMPLATE, copy_sqlite, refuse_foreign_tables


def write_template(folder: Path, tables: Iterable[str]) -> None:
    """Put a template with tables of these names where the run keeps its own."""
    named = list(tables)
    (folder / "tables.json").write_text(json.dumps(named))
    with closing(sqlite3.connect(folder / SQLITE_TEMPLATE)) as made:
        for name in named:
            made.execute(f'CREATE TABLE "{name}" (x)')


def test_a_copy_holds_what_the_databases_log_still_holds(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "given.sqlite3")) as given:
        given.execute("PRAGMA journal_mode=WAL")
        given.execute("CREATE TABLE numbers (x)")
        given.execute("INSERT INTO numbers VALUES (7)")
        given.commit()
        copy = copy_sqlite(tmp_path / "given.sqlite3", tmp_path / "copy.sqlite3")
    with closing(sqlite3.connect(copy)) as made:
        assert made.execute("SELECT x FROM numbers").fetchall() == [(7,)]
    assert {path.name for path in tmp_path.iterdir()} == {"given.sqlite3", "copy.sqlite3"}


@pytest.mark.django_db
def test_a_database_with_the_templates_tables_is_taken(tmp_path: Path) -> None:
    write_template(tmp_path, connection.introspection.table_names())
    refuse_foreign_tables(tmp_path)


@pytest.mark.django_db
def test_a_table_that_no_migration_made_is_refused(tmp_path: Path) -> None:
    foreign, *migrated = connection.introspection.table_names()
    write_template(tmp_path, migrated)
    with pytest.raises(RuntimeError, match=f"No migration makes {foreign}"):
        refuse_foreign_tables(tmp_path)


def test_a_copy_for_a_test_is_migrated_and_empty(
    migrated_sqlite: Callable[[Path], Path], tmp_path: Path
) -> None:
    with closing(sqlite3.connect(migrated_sqlite(tmp_path / "own.sqlite3"))) as made:
        assert made.execute("SELECT COUNT(*) FROM django_migrations").fetchone()[0] > 20
        assert made.execute("SELECT COUNT(*) FROM tenancy_tenant").fetchone() == (0,)
