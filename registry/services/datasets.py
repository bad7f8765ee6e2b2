"""Freezing data."""

import hashlib
import io
from typing import Any

import pandas as pd
import pyarrow as pa
from django.db import IntegrityError

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import fields_of, record
from mlplatform.tenancy.services.usage import require_room, take_room
from registry.errors import DatasetHidden, DatasetNotFound, UnusableTable
from registry.models import Dataset, RegisteredModel
from registry.privacy.treatment import Marks, stricter
from registry.services.personal import check_names, dataset_marks, mark_dataset
from registry.services.pseudonyms import treater
from registry.storage import content_path, write_once
from registry.tabular.profile import profile_frame
from registry.tabular.schema import columns_to_json, infer_schema


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
    """Store the frame as Parquet under the hash of its content, with its schema and profile.

    ``model`` is the one whose predictions and outcomes it holds, if any: who may not see the model sees no
    such dataset. ``personal`` marks columns before anything of them is stored beside the file. Returns the
    dataset, and whether it is new: the same content is stored once.

    Raises UnusableTable, InvalidMarks and DatasetHidden, and NoRoom where the tenant may store no more.
    """
    personal = personal or {}
    check_names(personal, map(str, frame.columns))
    data = _parquet(frame)
    content_hash = hashlib.sha256(data).hexdigest()
    known = Dataset.objects.filter(content_hash=content_hash).first()
    if known is None:
        require_room(storage_bytes=len(data), stored_rows=len(frame))
    path = known.file if known else content_path("datasets", content_hash)
    write_once(path, data)  # before the row: the database never names a file that is not there
    if known is not None:
        return _marked(known, personal, by), False
    columns, treat = infer_schema(frame), treater(personal)
    dataset = Dataset(
        name=name.strip()[:100],
        content_hash=content_hash,
        file=path,
        size_bytes=len(data),
        rows=len(frame),
        columns=columns_to_json(treat.columns(columns)),
        profile=treat.profile(profile_frame(frame, columns)),
        origin=origin,
        parent=parent,
        model=model,
        created_by=str(by)[:200],
    )
    try:
        with tenant_transaction():
            take_room(storage_bytes=dataset.size_bytes, stored_rows=dataset.rows)
            dataset.save(force_insert=True)
            # Schema and profile hold values of the data, and a column may be marked personal later.
            after = fields_of(dataset, "created_at", "profile", "columns")
            record(by=by, action="dataset.frozen", target=dataset, after=after, personal=dict(personal))
    except IntegrityError as error:  # somebody froze it at the same moment, or it is out of sight
        known = Dataset.objects.filter(content_hash=content_hash).first()
        if known is None:
            raise DatasetHidden(
                "The tenant holds this very content, as the data of another model."
            ) from error
        return _marked(known, personal, by), False
    return dataset, True


def _marked(dataset: Dataset, personal: Marks, by: Actor) -> Dataset:
    before = dataset_marks(dataset)
    wanted = stricter(before, personal)
    return dataset if wanted == before else mark_dataset(dataset=dataset, changes=wanted, by=by)


def _parquet(frame: pd.DataFrame) -> bytes:
    names = [str(name) for name in frame.columns]
    if frame.empty or not names:
        raise UnusableTable("The table has no rows. Give one with a header and at least one row.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UnusableTable(f"Column names stand twice: {', '.join(twice)}. Rename them.")
    buffer = io.BytesIO()
    try:
        frame.set_axis(names, axis=1).to_parquet(buffer, index=False, engine="pyarrow", compression="zstd")
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        # Arrow says the column last, and before it the value, which may be personal.
        raise UnusableTable(
            f"A column mixes kinds of values: {error.args[-1]}. Give each column one kind."
        ) from error
    return buffer.getvalue()
