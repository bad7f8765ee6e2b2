"""A model with all its versions as one signed file, for this installation or another."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

from django.conf import settings
from django.db import models
from django.utils import timezone

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.audit_export import Export
from registry.archives import MODEL, ArchiveWriter, canonical
from registry.exchange.installations import public_key, sign
from registry.models import Alias, Dataset, Deployment, ModelVersion, RegisteredModel
from registry.models.fields import StoredFile
from registry.services.tenant_export import add_file, one_moment
from registry.services.tenant_tables import entry_name, file_entry, row_to_json
from registry.storage import PIECE

IN_MEMORY_BYTES = 1 << 24  # a larger archive is written to disk before it is sent
# What leaves with a model, linked tables first.
TABLES = (RegisteredModel, Dataset, ModelVersion, Deployment)


class FilePieces:
    """A finished file's content from its beginning, piece by piece; closed at its end, or by who stops."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        file.seek(0)

    def __iter__(self) -> "FilePieces":
        return self

    def __next__(self) -> bytes:
        piece = b"" if self._file.closed else self._file.read(PIECE)
        if not piece:
            self.close()
            raise StopIteration
        return piece

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


@dataclass
class ExportedModel:
    """What an archive holds."""

    model: str
    versions: int = 0
    deployments: int = 0
    datasets: int = 0
    data: bool = False
    files: int = 0
    missing_files: list[str] = field(default_factory=list)


def archive_download(*, model: RegisteredModel, by: Actor, data: bool = False) -> Export[bytes]:
    """Return the model's archive on its way; raises what ``export_model`` raises."""
    with ExitStack() as opened:
        target = cast(IO[bytes], opened.enter_context(SpooledTemporaryFile(IN_MEMORY_BYTES)))
        export_model(model=model, target=target, by=by, data=data)
        opened.pop_all()  # closed with the pieces from here on
    return Export(f"{model.name}.model.zip", "application/zip", FilePieces(target), binary=True)


def export_model(
    *, model: RegisteredModel, target: IO[bytes], by: Actor, data: bool = False
) -> ExportedModel:
    """Write the model with its versions, history and artefacts to ``target``; with ``data`` also its rows.

    Hash and signature of each artefact are checked before it leaves, since the archive's signature vouches
    for it: one that is damaged is named in the manifest instead. Nothing of another model is in it, but for
    datasets that its versions were trained on.
    """
    with tenant_transaction():
        record(by=by, action="model.exported", target=model, data=data)
    done, archive = ExportedModel(model.name, data=data), ArchiveWriter(target, MODEL)
    with one_moment():
        counts = {table: _write(archive, table, model, data=data) for table in TABLES}
        aliases = dict(Alias.objects.filter(model=model).values_list("name", "version__number"))
        for version in _rows(ModelVersion, model):
            _add_files(archive, done, version)
        for dataset in _rows(Dataset, model):
            if _leaves(dataset, model, data):
                _add_files(archive, done, dataset)
    done.versions, done.deployments = counts[ModelVersion], counts[Deployment]
    done.datasets = counts[Dataset]
    archive.finish_signed(_about(model, done, aliases), sign=_sign)
    return done


def _about(model: RegisteredModel, done: ExportedModel, aliases: dict[str, int]) -> dict[str, Any]:
    return {
        "exported_at": timezone.now().isoformat(),
        "model": model.name,
        "aliases": aliases,
        "data": done.data,
        "missing_files": done.missing_files,
        "signed_by": public_key(settings.ARTIFACT_KEY),
    }


def _sign(manifest: dict[str, Any]) -> str:
    return sign(canonical(manifest), settings.ARTIFACT_KEY)


def _rows(table: type[models.Model], model: RegisteredModel) -> Iterable[Any]:
    """Return the table's rows that belong to the model, by their keys."""
    if table is RegisteredModel:
        return RegisteredModel.objects.filter(pk=model.pk)
    if table is Dataset:
        return Dataset.objects.filter(versions__model=model).distinct().order_by("pk")
    found: models.QuerySet[Any] = table._default_manager.filter(model=model)
    return found.order_by("pk").iterator(chunk_size=100)


def _leaves(dataset: Dataset, model: RegisteredModel, data: bool) -> bool:
    """Whether the dataset's rows leave: those that another model answered never do."""
    return data and dataset.model_id in (None, model.pk)


def _links_to_what_stays(table: type[models.Model]) -> list[str]:
    """Return links to rows that do not leave: what data was made from, the requests behind promotions."""
    links = [column for column in table._meta.concrete_fields if isinstance(column, models.ForeignKey)]
    linked = [*(one for one in TABLES if one is not table), Tenant]
    return [column.attname for column in links if column.related_model not in linked]


def _write(archive: ArchiveWriter, table: type[models.Model], model: RegisteredModel, *, data: bool) -> int:
    staying = _links_to_what_stays(table)

    def lines() -> Iterator[dict[str, Any]]:
        for row in _rows(table, model):
            line = row_to_json(row)
            line.update(dict.fromkeys(staying))
            if isinstance(row, Dataset) and row.model_id is not None:
                line["model_id"] = model.pk
            if isinstance(row, Dataset) and not _leaves(row, model, data):
                line["file"] = ""
            yield line

    return archive.add_lines(entry_name(table), lines())


def _add_files(archive: ArchiveWriter, done: ExportedModel, row: Any) -> None:
    for column in row._meta.local_fields:
        path = getattr(row, column.name) if isinstance(column, StoredFile) else ""
        if not path:
            continue
        if add_file(archive, row, column):
            done.files += 1
        else:
            done.missing_files.append(file_entry(row, column))
