"""Datasets from files, and from what the platform has learnt since."""

import os
from pathlib import Path
from typing import IO, Union

import pandas as pd
from django.conf import settings
from django.core.files import File

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.services.attempts import record_attempt
from mlplatform.tenancy.services.usage import require_room
from registry.frames import dataset_frame
from registry.models import Dataset, ModelVersion, RegisteredModel
from registry.privacy.treatment import stricter
from registry.services.datasets import freeze, freeze_parts
from registry.services.personal import Changes, changed, dataset_marks, model_marks
from registry.tabular.schema import UNUSED_TYPES, columns_from_json
from training.errors import FileTooLarge, NothingToRetrain, PersonalFeatures, UnreadableFile
from training.sources.feedback import aligned, new_rows
from training.sources.files import open_table

RETRAINING = "retraining"
Source = Union[Path, IO[bytes], "File[bytes]"]


def import_file(
    *, name: str, file: Source, filename: str, by: Actor, personal: Changes | None = None, sheet: str = ""
) -> tuple[Dataset, bool]:
    """Freeze a CSV, Parquet, JSON Lines or Excel file as a dataset, in parts: it need not fit into memory.

    The flag tells whether the content is new. ``personal`` maps columns to the treatment of what is kept
    beside the file; ``sheet`` names a workbook's sheet, the first where left out. Raises UnreadableFile,
    FileTooLarge, InvalidMarks, or NoRoom.
    """
    marks = changed({}, personal or {})
    size = file.stat().st_size if isinstance(file, Path) and file.is_file() else _size(file)
    refuse_large(size, settings.MAX_UPLOAD_BYTES)
    require_room(storage_bytes=1, stored_rows=1)  # who is full anyway need not wait for the reading
    origin = {"kind": "file", "filename": Path(filename).name[:200], "bytes": size}
    if sheet:
        origin["sheet"] = sheet[:100]
    try:
        with open_table(file, filename, quote=not marks, sheet=sheet) as parts:
            return freeze_parts(name=name, parts=parts, by=by, origin=origin, personal=marks)
    except UnreadableFile as error:
        told = {**origin, "reason": error.detail}
        record_attempt(by=by, action="dataset.refused", target=Dataset, details=told)
        raise


def refuse_large(size: int, limit: int) -> None:
    """Raise FileTooLarge where a file of ``size`` bytes is over the limit."""
    if size > limit:
        raise FileTooLarge(
            f"The file has {size:,} bytes; at most {limit:,} are taken. "
            "Send fewer rows, or save it as Parquet, which is several times smaller."
        )


def _size(file: Source) -> int:
    if isinstance(file, Path):
        return 0
    file.seek(0, os.SEEK_END)
    size = file.tell()
    file.seek(0)
    return int(size)


def retraining_dataset(*, model: RegisteredModel, by: Actor) -> Dataset:
    """Return the newest version's data with every answered and labelled row appended (see ``new_rows``).

    Rows are always appended to the original dataset, so that a corrected outcome replaces the one that an
    earlier retraining used. Without such rows it is the newest version's own dataset; the same rows give the
    same dataset again.

    Raises NothingToRetrain for a model without a version, and PersonalFeatures where the log keeps inputs of
    the model as pseudonyms or not at all: what is not known cannot be learnt from.
    """
    newest = ModelVersion.objects.filter(model=model).select_related("dataset").order_by("-number").first()
    if newest is None:
        raise NothingToRetrain(f"{model.name} has no version yet. Train it on a dataset first.")
    base = original(newest.dataset)
    added = new_rows(model)
    if added.empty:
        return newest.dataset
    refuse_personal(newest)
    frame = dataset_frame(base)
    extended = pd.concat([frame, aligned(added, frame)], ignore_index=True)
    origin = {"kind": RETRAINING, "model": model.name, "rows_added": len(added), "base": base.pk}
    personal = stricter(dataset_marks(base), model_marks(model))
    known = {name: treatment for name, treatment in personal.items() if name in frame.columns}
    dataset, _ = freeze(
        name=base.name, frame=extended, by=by, origin=origin, parent=base, model=model, personal=known
    )
    return dataset


def refuse_personal(version: ModelVersion) -> None:
    """Raise PersonalFeatures where the version's inputs are not logged as they were asked."""
    columns = columns_from_json(version.features)
    personal = [one.name for one in columns if one.personal and one.type not in UNUSED_TYPES]
    if personal:
        raise PersonalFeatures(
            f"{version.model} cannot learn from its predictions: the log keeps {', '.join(personal)} only as "
            "pseudonyms or not at all, because they are personal. Import new rows with their outcomes as a "
            "dataset, and train on that."
        )


def original(dataset: Dataset) -> Dataset:
    """Return the dataset that a chain of retrainings started from."""
    while dataset.origin.get("kind") == RETRAINING and dataset.parent is not None:
        dataset = dataset.parent
    return dataset
