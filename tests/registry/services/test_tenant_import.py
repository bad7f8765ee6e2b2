"""What an import refuses, and what it does with what is not whole."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.errors import TenantExists
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.errors import InvalidArchive, UntrustedArchive
from registry.models import Dataset, ModelVersion
from registry.services.stored_files import stored_files
from registry.services.tenant_import import import_tenant
from tests.console import Furnished
from tests.moves import arrive, content, exported


def test_an_archive_of_another_server_needs_the_operators_word(small: Furnished, settings: Any) -> None:
    archive, _ = exported(small.tenant)
    earlier, settings.ARTIFACT_KEY = settings.ARTIFACT_KEY, "another" * 10
    with pytest.raises(UntrustedArchive, match="--trust"):
        arrive(archive)
    assert not Tenant.objects.filter(slug="moved").exists()
    archive.seek(0)
    assert import_tenant(source=archive, by=SYSTEM, slug="trusted", trust=True).signed is False
    settings.ARTIFACT_KEY_FALLBACKS = [earlier]
    archive.seek(0)
    assert import_tenant(source=archive, by=SYSTEM, slug="known").signed is True


def test_a_taken_or_impossible_name_is_refused(small: Furnished) -> None:
    archive, _ = exported(small.tenant)
    with pytest.raises(TenantExists, match="--as"):
        import_tenant(source=archive, by=SYSTEM)
    for slug in ("Not A Name", "../etc", "x" * 51):
        with pytest.raises(InvalidInput):
            arrive(archive, slug)


def test_a_damaged_file_is_named_and_does_not_keep_the_rest(small: Furnished) -> None:
    stored = Path(default_storage.path(small.champion.dataset.file))
    stored.write_bytes(stored.read_bytes()[:-1])
    archive, done = exported(small.tenant)
    assert done.missing_files == [f"files/registry.dataset.file/{small.champion.dataset.pk}"]
    moved = arrive(archive)
    with tenant_scope(moved):
        assert Dataset.objects.get().file.endswith("/missing")
        assert ModelVersion.objects.count() == 1


def test_a_model_that_nobody_signed_is_not_signed_by_moving_it(small: Furnished) -> None:
    with tenant_scope(small.tenant):
        ModelVersion.objects.filter(pk=small.champion.pk).update(artifact_signature="0" * 64)
    archive, done = exported(small.tenant)
    assert done.missing_files == [f"files/registry.modelversion.artifact_file/{small.champion.pk}"]
    moved = arrive(archive)
    with tenant_scope(moved):
        assert ModelVersion.objects.get(number=small.champion.number).artifact_signature == ""


Change = Callable[[dict[str, bytes]], None]


def rewritten(archive: io.BytesIO, change: Change, *, sign: bool = True) -> io.BytesIO:
    """The archive with other contents, its manifest made to fit where ``sign``: what a forger could do."""
    held = content(archive)
    change(held)
    if sign:
        manifest = json.loads(held["manifest.json"])
        for name, data in held.items():
            if name != "manifest.json":
                entry = manifest["entries"].setdefault(name, {})
                entry.update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
                if name.startswith("tables/"):
                    entry["rows"] = data.count(b"\n")
        held["manifest.json"] = json.dumps(manifest).encode()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        for name, data in held.items():
            file.writestr(name, data)
    target.seek(0)
    return target


def replace(name: str, old: bytes, new: bytes) -> Change:
    def change(held: dict[str, bytes]) -> None:
        assert old in held[name]
        held[name] = held[name].replace(old, new)

    return change


FORGERIES = {
    "unknown column": replace("tables/registry.dataset.jsonl", b'"rows"', b'"lines"'),
    "link to nothing": replace("tables/registry.alias.jsonl", b'"model_id": ', b'"model_id": 99'),
    "no date": replace("tables/registry.dataset.jsonl", b'"created_at": "2', b'"created_at": "x'),
    "no row": replace("tables/registry.alias.jsonl", b"{", b"["),
    "no e-mail": replace("tables/tenancy.membership.jsonl", b"someone@clinic.example", b"nobody"),
}


def test_a_trusted_archive_that_makes_no_sense_leaves_nothing_behind(small: Furnished) -> None:
    archive, _ = exported(small.tenant)
    ours = f"/{small.tenant.pk}/"
    for forgery, change in FORGERIES.items():
        with pytest.raises(InvalidArchive):
            import_tenant(source=rewritten(archive, change), by=SYSTEM, slug="moved", trust=True)
        assert not Tenant.objects.filter(slug="moved").exists(), forgery
        held = [path for path in Path(default_storage.path("")).rglob("*") if path.is_file()]
        assert all(ours in str(path) for path in held), forgery


def test_a_signed_archive_cannot_be_changed(small: Furnished) -> None:
    archive, _ = exported(small.tenant)
    change = replace("tables/tenancy.membership.jsonl", b'"viewer"', b'"admin" ')
    with pytest.raises(UntrustedArchive):
        import_tenant(source=rewritten(archive, change), by=SYSTEM, slug="moved")
    with pytest.raises(InvalidArchive, match="not what the manifest says"):
        import_tenant(source=rewritten(archive, change, sign=False), by=SYSTEM, slug="moved", trust=True)


def test_the_importing_tenant_owns_every_file(small: Furnished) -> None:
    moved = arrive(exported(small.tenant)[0])
    with tenant_scope(moved):
        assert len(stored_files()) == 2
        assert all(f"/{moved.pk}/" in path for path in stored_files())
