"""The migrated database that is made once and copied."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from tests.plugins import template
from tests.plugins.services import ROOT
from tests.plugins.template import copy_sqlite, refuse_foreign_tables, sources, sqlite_template


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
def test_a_database_with_the_templates_tables_is_taken() -> None:
    refuse_foreign_tables(template.migrated_tables())


@pytest.mark.django_db
def test_a_table_that_no_migration_made_is_refused() -> None:
    foreign, *migrated = connection.introspection.table_names()
    with pytest.raises(RuntimeError, match=f"No migration makes {foreign}"):
        refuse_foreign_tables(set(migrated))


def test_a_copy_for_a_test_is_migrated_and_empty(
    migrated_sqlite: Callable[[Path], Path], tmp_path: Path
) -> None:
    with closing(sqlite3.connect(migrated_sqlite(tmp_path / "own.sqlite3"))) as made:
        assert made.execute("SELECT COUNT(*) FROM django_migrations").fetchone()[0] > 20
        assert made.execute("SELECT COUNT(*) FROM tenancy_tenant").fetchone() == (0,)


def test_every_migration_and_what_it_takes_its_statements_from_decide_what_is_copied() -> None:
    found = {str(path.relative_to(ROOT)) for path in sources() if path.is_relative_to(ROOT)}
    own = ("mlplatform", "registry", "training", "feedback", "monitoring")
    assert found >= {
        str(path.relative_to(ROOT)) for app in own for path in (ROOT / app).rglob("migrations/*.py")
    }
    assert found >= {"mlplatform/tenancy/rls.py", "mlplatform/tenancy/roles.py", "registry/models/version.py"}


def test_another_state_of_the_migrations_has_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migration = tmp_path / "0001_initial.py"
    monkeypatch.setattr(template, "sources", lambda: [migration])
    names = []
    for content in ("a", "b", "a"):
        migration.write_text(content)
        names.append(template.state.__wrapped__())
    assert names[0] == names[2] != names[1]


def test_what_an_earlier_run_has_made_is_used_again_and_what_nobody_uses_goes(tmp_path: Path) -> None:
    kept, other, unused = (tmp_path / f"{name}.sqlite3" for name in (template.state(), "a", "b"))
    for path in (kept, other, unused):
        path.write_bytes(b"made before")
    for path in (kept, unused):
        os.utime(path, (0, 0))
    assert sqlite_template(tmp_path) == kept
    assert kept.read_bytes() == b"made before"
    assert set(tmp_path.glob("*.sqlite3")) == {kept, other}
