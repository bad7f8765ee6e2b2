"""A model leaves as one signed file and arrives as a new model, wholly or not at all."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.archives import MANIFEST
from registry.errors import (
    AlreadyChampion,
    DatasetCorrupt,
    InvalidArchive,
    InvalidModel,
    ModelExists,
    NothingRan,
    NothingToRollBackTo,
    UntrustedArchive,
)
from registry.exchange.installations import public_key
from registry.frames import dataset_frame
from registry.models import Alias, Dataset, Deployment, ModelVersion, RegisteredModel
from registry.services.champions import earlier_champions
from registry.services.model_export import export_model
from registry.services.model_import import import_model
from registry.services.past import deployment_at
from registry.services.promotion import promote, rollback
from registry.services.serving import predict
from registry.services.tags import change_tags
from tests.factories import make_champion, make_version, rows_of

SAME = (
    "number",
    "created_at",
    "created_by",
    "tags",
    "metrics",
    "params",
    "features",
    "artifact_hash",
    "status",
)


@pytest.fixture
def model(in_tenant: Tenant) -> RegisteredModel:
    """A model with two versions, of which both were champions."""
    champion = make_champion()
    model = champion.model
    second = make_version(model, dataset=champion.dataset)
    promote(model=model, version=second, by=SYSTEM, reason="better", override=True)
    change_tags(target=second, changes={"team": "risk"}, by=SYSTEM)
    change_tags(target=model, changes={"area": "clinic"}, by=SYSTEM)
    return model


def archive_of(model: RegisteredModel, *, data: bool = False) -> io.BytesIO:
    target = io.BytesIO()
    export_model(model=model, target=target, by=SYSTEM, data=data)
    target.seek(0)
    return target


def answers(model: RegisteredModel, rows: list[Any], number: int | None = None) -> list[Any]:
    given = predict(model=model, rows=rows, version=number, by=SYSTEM).predictions
    return [(one.label, one.probabilities) for one in given]


def remade(archive: io.BytesIO, **changed: bytes) -> io.BytesIO:
    """The archive with other contents under these names ("manifest", or a part of a table's)."""
    target = io.BytesIO()
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(target, "w") as copy:
        for name in whole.namelist():
            hit = next((key for key in changed if key in name), None)
            copy.writestr(name, changed[hit] if hit else whole.read(name))
    target.seek(0)
    return target


def test_everything_of_a_model_arrives_under_another_name(model: RegisteredModel) -> None:
    done = import_model(source=archive_of(model), by=SYSTEM, name="copied")
    assert (done.versions, done.deployments, done.champion_before, done.champion) == (2, 2, 2, None)
    copied = RegisteredModel.objects.get(name="copied")
    assert (copied.tags, copied.target, copied.created_at) == (model.tags, model.target, model.created_at)
    assert copied.origin["model"] == model.name
    assert copied.origin["from"] == "this installation"
    before, after = (ModelVersion.objects.filter(model=one).order_by("number") for one in (model, copied))
    for old, new in zip(before, after, strict=True):
        assert [getattr(old, name) for name in SAME] == [getattr(new, name) for name in SAME]
        row = rows_of(old)
        assert answers(copied, row, new.number) == answers(model, row, old.number)


def test_history_comes_as_history_and_nothing_runs(model: RegisteredModel) -> None:
    import_model(source=archive_of(model), by=SYSTEM, name="copied")
    copied = RegisteredModel.objects.get(name="copied")
    assert not Alias.objects.filter(model=copied).exists()
    changes = list(Deployment.objects.filter(model=copied).order_by("pk"))
    assert [one.action for one in changes] == ["promote", "promote", "unalias"]
    original = list(Deployment.objects.filter(model=model).order_by("pk"))
    assert [one.created_at for one in changes[:2]] == [one.created_at for one in original]
    assert deployment_at(copied, original[0].created_at).version.number == 1
    with pytest.raises(NothingRan):
        deployment_at(copied, changes[-1].created_at)
    assert earlier_champions(copied) == []


def test_what_ran_elsewhere_is_no_way_back(model: RegisteredModel) -> None:
    import_model(source=archive_of(model, data=True), by=SYSTEM, name="copied", champion=True)
    copied = RegisteredModel.objects.get(name="copied")
    assert Alias.objects.get(model=copied).version.number == 2
    with pytest.raises(NothingToRollBackTo):
        rollback(model=copied, by=SYSTEM, to=ModelVersion.objects.get(model=copied, number=1))
    with pytest.raises(AlreadyChampion):
        promote(model=copied, version=ModelVersion.objects.get(model=copied, number=2), by=SYSTEM)


def test_another_tenant_gets_its_own_copy_and_nothing_else(
    model: RegisteredModel, other_tenant: Tenant
) -> None:
    archive = archive_of(model, data=True)
    with tenant_scope(other_tenant), tenant_transaction():
        done = import_model(source=archive, by=SYSTEM, champion=True)
        assert done.champion == 2, done.note
        moved = RegisteredModel.objects.get()
        assert {one.tenant_id for one in (moved, *ModelVersion.objects.all(), *Dataset.objects.all())} == {
            other_tenant.pk
        }
        assert len(dataset_frame(Dataset.objects.get())) == 569
        row = rows_of(ModelVersion.objects.get(number=1))
        assert answers(moved, row)
    assert RegisteredModel.objects.count() == 1


def test_rows_stay_unless_asked_for(model: RegisteredModel, other_tenant: Tenant) -> None:
    archive = archive_of(model)
    with zipfile.ZipFile(archive) as whole:
        assert not any("dataset.file" in name for name in whole.namelist())
    with tenant_scope(other_tenant), tenant_transaction():
        import_model(source=archive, by=SYSTEM)
        with pytest.raises(DatasetCorrupt, match="missing"):
            dataset_frame(Dataset.objects.get())
        assert Dataset.objects.get().size_bytes == 0


def test_the_same_data_is_not_stored_twice(model: RegisteredModel) -> None:
    import_model(source=archive_of(model, data=True), by=SYSTEM, name="copied")
    assert Dataset.objects.count() == 1


def test_an_unknown_installation_is_not_believed_whatever_it_says(
    model: RegisteredModel, settings: Any
) -> None:
    archive = archive_of(model)
    theirs = public_key(settings.ARTIFACT_KEY)
    settings.ARTIFACT_KEY, settings.ARTIFACT_KEY_FALLBACKS = "another" * 10, []
    with pytest.raises(UntrustedArchive, match=theirs.replace("+", r"\+")):
        import_model(source=archive, by=SYSTEM, name="copied")
    assert AuditEvent.objects.filter(action="model.import_refused").count() == 1
    settings.TRUSTED_INSTALLATIONS = [f"north={theirs}"]
    assert import_model(source=archive, by=SYSTEM, name="copied").signed_by == "north"
    version = ModelVersion.objects.filter(model__name="copied")[0]
    row = rows_of(ModelVersion.objects.filter(model=model)[0])
    assert answers(version.model, row, version.number)


def test_an_earlier_key_of_this_installation_is_known(model: RegisteredModel, settings: Any) -> None:
    archive, earlier = archive_of(model), settings.ARTIFACT_KEY
    settings.ARTIFACT_KEY, settings.ARTIFACT_KEY_FALLBACKS = "another" * 10, [earlier]
    assert import_model(source=archive, by=SYSTEM, name="copied").versions == 2


def test_a_manifest_that_lies_is_refused(model: RegisteredModel) -> None:
    archive = archive_of(model)
    with zipfile.ZipFile(archive) as whole:
        manifest = json.loads(whole.read(MANIFEST))
    for change in ({"aliases": {"champion": 1}}, {"signature": "AAAA"}, {"signature": "no base64"}):
        told = json.dumps({**manifest, **change}).encode()
        with pytest.raises(UntrustedArchive):
            import_model(source=remade(archive, manifest=told), by=SYSTEM, name="copied")
    assert RegisteredModel.objects.count() == 1


def test_a_changed_artefact_is_refused_unread(model: RegisteredModel) -> None:
    archive = archive_of(model)
    with zipfile.ZipFile(archive) as whole:
        name = next(one for one in whole.namelist() if "artifact_file" in one)
        content = whole.read(name)
    turned = content[:-1] + bytes([content[-1] ^ 1])
    with pytest.raises(InvalidArchive, match="is not what the manifest says"):
        import_model(source=remade(archive, **{name: turned}), by=SYSTEM, name="copied")
    assert RegisteredModel.objects.count() == 1


def test_other_archives_and_cut_off_ones_are_refused(model: RegisteredModel) -> None:
    archive = archive_of(model)
    for data in (archive.getvalue()[:-40], b"", b"PK\x03\x04 nothing"):
        with pytest.raises(InvalidArchive):
            import_model(source=io.BytesIO(data), by=SYSTEM, name="copied")
    climbing = io.BytesIO(archive.getvalue())
    with zipfile.ZipFile(climbing, "a") as whole:
        whole.writestr("../../etc/passwd", b"x")
    with pytest.raises(InvalidArchive, match="no part of a model"):
        import_model(source=climbing, by=SYSTEM, name="copied")


def test_names_are_free_or_refused(model: RegisteredModel) -> None:
    archive = archive_of(model)
    with pytest.raises(ModelExists, match="another name"):
        import_model(source=archive, by=SYSTEM)
    for name in ("Not A Name", "../etc", "x" * 101):
        with pytest.raises(InvalidModel):
            import_model(source=archive, by=SYSTEM, name=name)


def test_a_damaged_version_leaves_as_damaged_and_arrives_as_failed(model: RegisteredModel) -> None:
    first = ModelVersion.objects.get(model=model, number=1)
    second = ModelVersion.objects.get(model=model, number=2)
    stored = Path(default_storage.path(first.artifact_file))
    stored.write_bytes(stored.read_bytes()[:-1])
    assert first.artifact_file == second.artifact_file  # the same fit, stored once
    done = import_model(source=archive_of(model), by=SYSTEM, name="copied", champion=True)
    assert done.damaged == [1, 2]
    assert "was not promoted" in done.note
    assert {one.status for one in ModelVersion.objects.filter(model__name="copied")} == {"failed"}
