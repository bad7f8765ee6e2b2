"""Freezing data."""

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import IO, Any, cast

import pandas as pd
import pyarrow as pa
from django.db import IntegrityError
from msgspec.structs import replace

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import fields_of, record
from mlplatform.tenancy.services.usage import require_room, take_room
from registry.errors import DatasetHidden, DatasetNotFound, UnusableTable
from registry.models import Dataset, RegisteredModel
from registry.privacy.treatment import Marks, stricter
from registry.services.described import EXACT_CELLS, described
from registry.services.personal import check_names, dataset_marks, mark_dataset
from registry.services.pseudonyms import treater
from registry.storage import content_path, demand_stored, write_file_once
from registry.tabular.schema import Column, SchemaMismatch, columns_from_json, columns_to_json
from registry.tabular.writing import Written, write_parts

IN_MEMORY_BYTES = 1 << 24  # a larger file is written to disk before it is sealed


def find_dataset(pk: int) -> Dataset:
    """Return the tenant's dataset; raises DatasetNotFound."""
    try:
        return Dataset.objects.get(pk=pk)
    except Dataset.DoesNotExist as error:
        raise DatasetNotFound(f"There is no dataset {pk}. List them at /api/v1/datasets.") from error


def freeze(
    *,
    name: str,
    frame: pd.DataFrame,
    by: Actor,
    origin: dict[str, Any],
    parent: Dataset | None = None,
    model: RegisteredModel | None = None,
    personal: Marks | None = None,
) -> tuple[Dataset, bool]:
    """Store a frame as ``freeze_parts`` does a table in parts, with what it was made from.

    ``model`` is the one whose predictions and outcomes it holds, if any: who may not see the model sees no
    such dataset.
    """
    made_of = Dataset(name=name.strip()[:100], origin=origin, parent=parent, model=model)
    return _freeze([frame], made_of, personal or {}, by)


def freeze_parts(
    *,
    name: str,
    parts: Iterable[pd.DataFrame],
    by: Actor,
    origin: dict[str, Any],
    personal: Marks | None = None,
) -> tuple[Dataset, bool]:
    """Store the rows as Parquet under the hash of their content, with schema and profile.

    The parts have the same columns and dtypes, and all together need not fit into memory: the same rows make
    the same content, in whatever parts they come. ``personal`` marks columns before anything of them is
    stored beside the file. Returns the dataset, and whether it is new: the same content is stored once.

    Raises UnusableTable, InvalidMarks and DatasetHidden, and NoRoom where the tenant may store no more.
    """
    return _freeze(parts, Dataset(name=name.strip()[:100], origin=origin), personal or {}, by)


def _freeze(
    parts: Iterable[pd.DataFrame], dataset: Dataset, personal: Marks, by: Actor
) -> tuple[Dataset, bool]:
    with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES, prefix="dataset-") as spool:
        file = cast(IO[bytes], spool)
        written = _written(_named(parts, personal), file)
        known = Dataset.objects.filter(content_hash=written.sha256).first()
        if known is None or not known.file:
            require_room(storage_bytes=written.size, stored_rows=written.rows)
        path = (known and known.file) or content_path("datasets", written.sha256)
        # Before the row: the database never names a file that is not there.
        write_file_once(path, file, sha256=written.sha256)
        if known is not None:
            return _marked(_with_its_file(known, path, by), personal, by), False
        dataset.file, dataset.content_hash = path, written.sha256
        dataset.size_bytes, dataset.rows = written.size, written.rows
        columns, profile = _as_its_parent(dataset.parent, file, written)
    treat = treater(personal)
    dataset.columns, dataset.profile = columns_to_json(treat.columns(columns)), treat.profile(profile)
    return _stored(dataset, personal, by)


def _written(parts: Iterator[pd.DataFrame], file: IO[bytes]) -> Written:
    try:
        return write_parts(parts, file, keep_cells=EXACT_CELLS)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        # Arrow says the column last, and before it the value, which may be personal.
        raise UnusableTable(
            f"A column mixes kinds of values: {error.args[-1]}. Give each column one kind."
        ) from error


def _named(parts: Iterable[pd.DataFrame], personal: Marks) -> Iterator[pd.DataFrame]:
    """Yield the parts once the first has shown that the columns' names can be used."""
    rows = 0
    for number, part in enumerate(parts):
        if not number:
            _check_columns([str(name) for name in part.columns], personal)
        rows += len(part)
        yield part
    if not rows:
        raise _no_rows()


def _check_columns(names: list[str], personal: Marks) -> None:
    if not names:
        raise _no_rows()
    check_names(personal, names)
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise UnusableTable(f"Column names stand twice: {', '.join(twice)}. Rename them.")


def _no_rows() -> UnusableTable:
    return UnusableTable("The table has no rows. Give one with a header and at least one row.")


def _as_its_parent(
    parent: Dataset | None, file: IO[bytes], written: Written
) -> tuple[list[Column], dict[str, Any]]:
    """Return schema and profile with what is known of the columns of the dataset that the rows extend."""
    known = {column.name: column for column in columns_from_json(parent.columns)} if parent else {}
    types = {name: column.type for name, column in known.items() if name in written.names}
    try:
        columns, profile = described(file, written.frame, written.rows, types)
    except SchemaMismatch:  # the new rows hold other values
        columns, profile = described(file, written.frame, written.rows)
    told = [replace(one, **_words(known[one.name])) if one.name in known else one for one in columns]
    return told, profile


def _words(column: Column) -> dict[str, str]:
    return {"unit": column.unit, "description": column.description}


def _stored(dataset: Dataset, personal: Marks, by: Actor) -> tuple[Dataset, bool]:
    dataset.created_by = str(by)[:200]
    try:
        with tenant_transaction():
            take_room(storage_bytes=dataset.size_bytes, stored_rows=dataset.rows)
            demand_stored(dataset.file)
            dataset.save(force_insert=True)
            # Schema and profile hold values of the data, and a column may be marked personal later.
            after = fields_of(dataset, "created_at", "profile", "columns")
            record(by=by, action="dataset.frozen", target=dataset, after=after, personal=dict(personal))
    except IntegrityError as error:  # somebody froze it at the same moment, or it is out of sight
        known = Dataset.objects.filter(content_hash=dataset.content_hash).first()
        if known is None:
            raise DatasetHidden(
                "The tenant holds this very content, as the data of another model."
            ) from error
        return _marked(known, personal, by), False
    return dataset, True


def _with_its_file(dataset: Dataset, path: str, by: Actor) -> Dataset:
    """Return the dataset, restored where its rows had been kept no more."""
    if dataset.file:
        return dataset
    with tenant_transaction():
        take_room(storage_bytes=dataset.size_bytes, stored_rows=dataset.rows)
        demand_stored(path)
        Dataset.objects.filter(pk=dataset.pk).update(file=path)
        record(by=by, action="dataset.restored", target=dataset, before={"file": ""}, after={"file": path})
    dataset.file = path
    return dataset


def _marked(dataset: Dataset, personal: Marks, by: Actor) -> Dataset:
    before = dataset_marks(dataset)
    wanted = stricter(before, personal)
    return dataset if wanted == before else mark_dataset(dataset=dataset, changes=wanted, by=by)
