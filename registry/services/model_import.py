"""A model from an archive: wholly or not at all, and nothing of it runs unless that is asked for."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, models
from django.utils import timezone

from mlplatform.errors import NotAllowed, PlatformError
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import active_sight, tenant_transaction
from mlplatform.tenancy.services.attempts import record_attempt
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.usage import take_room
from registry.archives import MODEL, ArchiveReader, canonical
from registry.errors import InvalidArchive, InvalidModel, ModelExists, UntrustedArchive
from registry.exchange.installations import parse_trusted, public_key, signer
from registry.models import Dataset, Deployment, ModelVersion, RegisteredModel
from registry.models.deployment import DeploymentAction
from registry.models.version import VersionStatus
from registry.services.arrival import Arrival, Imported
from registry.services.model_export import TABLES
from registry.services.promotion import promote
from registry.services.tenant_tables import entry_name
from registry.storage import content_path

HERE = "this installation"


@dataclass
class ImportedModel:
    """What arrived: ``damaged`` versions came without a whole artefact and are failed ones."""

    model: str
    versions: int = 0
    deployments: int = 0
    datasets: int = 0
    files: int = 0
    signed_by: str = ""
    champion: int | None = None
    champion_before: int | None = None
    damaged: list[int] = field(default_factory=list)
    note: str = ""


def import_model(
    *, source: IO[bytes], by: Actor, name: str | None = None, champion: bool = False
) -> ImportedModel:
    """Make a new model of the archive, under its own name or another; all of it or nothing.

    Numbers, dates, tags, metrics and history stay. What was champion there runs here only with ``champion``,
    which promotes it: gates are run, and those that fail are passed over and stay in the history.

    Models are programs: an archive that neither this installation nor one in ``ML_TRUSTED_INSTALLATIONS``
    signed is refused, whatever it says of itself. Raises InvalidArchive, UntrustedArchive, ModelExists,
    InvalidModel, NotAllowed, and NoRoom where the tenant may store no more.
    """
    archive = ArchiveReader(source, MODEL)
    signed_by = _signer(archive, by)
    _check_contents(archive)
    before = archive.manifest.get("aliases", {}).get("champion")
    done = ImportedModel("", signed_by=signed_by, champion_before=before)
    try:
        with tenant_transaction():
            model = _fill(archive, done, by, name)
    except (IntegrityError, DataError) as error:
        raise InvalidArchive(f"Rows of the archive contradict others, or rows here: {error}") from error
    if champion:
        _promote(model, done, by)
    return done


def trusted_installations() -> dict[str, str]:
    """Return names by public key: this installation's, those of its earlier keys, and those trusted."""
    own = [settings.ARTIFACT_KEY, *settings.ARTIFACT_KEY_FALLBACKS]
    return {**parse_trusted(settings.TRUSTED_INSTALLATIONS), **{public_key(key): HERE for key in own}}


def _signer(archive: ArchiveReader, by: Actor) -> str:
    signature = str(archive.manifest.get("signature", ""))
    found = signer(canonical(archive.unsigned), signature, trusted_installations())
    if found is not None:
        return found
    claimed = str(archive.manifest.get("signed_by", ""))[:60]
    record_attempt(by=by, action="model.import_refused", target=RegisteredModel, details={"claims": claimed})
    raise UntrustedArchive(
        "The archive was changed, or an installation signed it that is not trusted here; the models in it "
        f"are programs that would run here. It claims the key {claimed!r}: ask who runs that one for "
        "the key that 'manage.py transfer_key' prints there, and if it is the same, have it added to "
        "ML_TRUSTED_INSTALLATIONS here."
    )


def _check_contents(archive: ArchiveReader) -> None:
    known = {entry_name(table) for table in TABLES}
    tables = {name for name in archive.entries if name.startswith("tables/")}
    if tables != known:
        odd = ", ".join(sorted(tables ^ known))[:200]
        raise InvalidArchive(f"Another release wrote the archive: its tables differ ({odd}).")
    free = shutil.disk_usage(settings.DATA_DIR).free
    if archive.total_bytes > free:
        size = archive.total_bytes
        raise InvalidArchive(f"It unpacks to {size:,} bytes; {free:,} are free. Make room first.")
    for _ in archive.check_hashes():
        pass


def _fill(archive: ArchiveReader, done: ImportedModel, by: Actor, name: str | None) -> RegisteredModel:
    arrival = ModelArrival(archive, done, by, name)
    arrival.fill_tables(TABLES)
    model = arrival.model
    if model is None:
        raise InvalidArchive("The archive holds no model.")
    _close_history(model, archive, by)
    record(
        by=by,
        action="model.imported",
        target=model,
        signed_by=done.signed_by,
        exported_at=str(archive.manifest.get("exported_at"))[:40],
        versions=done.versions,
        damaged=done.damaged,
    )
    return model


class ModelArrival(Arrival):
    """One import of a model into the active tenant."""

    def __init__(self, archive: ArchiveReader, done: ImportedModel, by: Actor, name: str | None) -> None:
        super().__init__(archive, Imported(""), renamed=True)
        self._told, self._by, self._name = done, by, name
        self.model: RegisteredModel | None = None
        self._finish: dict[type[models.Model], Callable[[Any], None]] = {
            RegisteredModel: self._take_model,
            Dataset: self._take_dataset,
            ModelVersion: self._take_version,
        }

    def fill_tables(self, tables: tuple[type[Any], ...]) -> None:
        """Insert every row and store every file; raises InvalidArchive."""
        counts = {table: self._fill_table(table) for table in tables}
        if counts[RegisteredModel] != 1:
            raise InvalidArchive("The archive holds more models than one, or none.")
        self._told.versions, self._told.deployments = counts[ModelVersion], counts[Deployment]
        self._told.datasets, self._told.files = counts[Dataset], self._done.files

    def _here_already(self, table: type[models.Model], line: dict[str, Any]) -> int | None:
        """Return the key of the dataset of the same content, which is stored once."""
        if table is not Dataset:
            return None
        found = Dataset.objects.filter(content_hash=str(line.get("content_hash"))).first()
        return None if found is None else found.pk

    def _take_model(self, model: RegisteredModel) -> None:
        archived = model.name
        model.name = self._name or archived
        if not active_sight().sees(model.name):
            raise NotAllowed("This key is for some models only. Import with a key for all.")
        model.origin = self._origin(model=archived)
        try:
            model.clean_fields(exclude={"tenant"})
        except ValidationError as error:
            raise InvalidModel("The model cannot be made.", fields=error.message_dict) from error
        if RegisteredModel.objects.filter(name=model.name).exists():
            raise ModelExists(f"A model {model.name!r} exists already. Choose another name for the new one.")
        self._told.model, self.model = model.name, model

    def _take_dataset(self, dataset: Dataset) -> None:
        """A dataset whose rows stayed where they were is found by its hash, should they come later."""
        if not dataset.file or dataset.file.endswith("/missing"):
            dataset.file, dataset.size_bytes = content_path("datasets", dataset.content_hash), 0
        take_room(storage_bytes=dataset.size_bytes, stored_rows=dataset.rows)

    def _take_version(self, version: ModelVersion) -> None:
        """Sign artefact and twin for this installation where they are those that the row names."""
        self._sign(version)
        if not version.twin_signature:
            version.twin_file = ""
        version.origin = self._origin(number=version.number)
        if not version.artifact_file:  # let go of by retention: its record stays
            return
        if not version.artifact_signature:
            self._told.damaged.append(version.number)
            version.status = VersionStatus.FAILED
            version.status_reason = "Its artefact was not in the archive, or was damaged where it came from."
        take_room(storage_bytes=version.artifact_bytes + version.twin_bytes)

    def _origin(self, **about: Any) -> dict[str, Any]:
        return {
            "kind": "archive",
            "from": self._told.signed_by,
            "exported_at": str(self._archive.manifest.get("exported_at"))[:40],
            "by": str(self._by)[:200],
            "at": timezone.now().isoformat(),
            **about,
        }


def _close_history(model: RegisteredModel, archive: ArchiveReader, by: Actor) -> None:
    """Say that nothing of the history runs here: each name that stood there is taken off."""
    aliases = archive.manifest.get("aliases")
    if not isinstance(aliases, dict):
        raise InvalidArchive("The archive's manifest is damaged. Take it anew.")
    versions = {one.number: one for one in ModelVersion.objects.filter(model=model).only("number", "model")}
    for name, number in aliases.items():
        version = versions.get(number)
        if version is None:
            raise InvalidArchive(f"The archive says that {str(name)[:50]!r} is a version that is not in it.")
        Deployment.objects.create(
            model=model,
            alias=str(name)[:50],
            action=DeploymentAction.UNALIAS,
            version=version,
            previous=version,
            reason="Imported: what is above ran where the model came from, not here.",
            actor_kind=by.kind,
            actor_label=by.label[:200],
        )


def _promote(model: RegisteredModel, done: ImportedModel, by: Actor) -> None:
    """Let what was champion there answer here; where it cannot, the model stays and the note says why."""
    number = done.champion_before
    versions = ModelVersion.objects.filter(model=model, number=number or 0)
    version = versions.select_related("model").first()
    if version is None:
        done.note = "It had no champion, so nothing was promoted."
        return
    try:
        promote(model=model, version=version, by=by, reason="Champion where it came from.", override=True)
    except PlatformError as error:
        done.note = f"The model is here, but v{number} was not promoted: {error.detail}"
        return
    done.champion = number
