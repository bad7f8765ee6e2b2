"""Freezing data."""

import hashlib
import io
from typing import Any

import pandas as pd
import pyarrow as pa
from django.db import IntegrityError

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import current_tenant_id, tenant_transaction
from mlplatform.tenancy.services.audit import record
from registry.artifacts.store import dataset_path
from registry.errors import DatasetNotFound, UnusableTable
from registry.models import Dataset
from registry.storage import write_once
from registry.tabular.profile import profile_frame
from registry.tabular.schema import columns_to_json, infer_schema


def find_dataset(pk: int) -> Dataset:
    """Return the tenant's dataset; raises DatasetNotFound."""
    try:
        return Dataset.objects.get(pk=pk)
    except Dataset.DoesNotExist as error:
        raise DatasetNotFound(f"There is no dataset {pk}. List them at /api/v1/datasets.") from error


def freeze(
    *, name: str, frame: pd.DataFrame, by: Actor, origin: dict[str, Any], parent: Dataset | None = None
) -> tuple[Dataset, bool]:
    """Store the frame as Parquet under the hash of its content, with its schema and profile.

    Returns the dataset, and whether it is new: the same content is stored once. Raises UnusableTable.
    """
    data = _parquet(frame)
    content_hash = hashlib.sha256(data).hexdigest()
    path = dataset_path(current_tenant_id(), content_hash)
    write_once(path, data)  # before the row: the database never names a file that is not there
    known = Dataset.objects.filter(content_hash=content_hash).first()
    if known is not None:
        return known, False
    columns = infer_schema(frame)
    dataset = Dataset(
        name=name.strip()[:100],
        content_hash=content_hash,
        file=path,
        size_bytes=len(data),
        rows=len(frame),
        columns=columns_to_json(columns),
        profile=profile_frame(frame, columns),
        origin=origin,
        parent=parent,
        created_by=str(by)[:200],
    )
    try:
        with tenant_transaction():
            dataset.save(force_insert=True)
            record(by=by, action="dataset.frozen", target=dataset, rows=dataset.rows, sha256=content_hash)
    except IntegrityError:  # somebody froze the same content at the same moment
        return Dataset.objects.get(content_hash=content_hash), False
    return dataset, True


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
        raise UnusableTable(f"A column mixes kinds of values: {error}. Give each column one kind.") from error
    return buffer.getvalue()
