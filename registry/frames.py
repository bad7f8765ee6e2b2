"""Frozen rows as DataFrames."""

import hashlib
from typing import IO

import pandas as pd

from mlplatform.sealing.errors import SealBroken
from registry.errors import DatasetCorrupt
from registry.models import Dataset
from registry.storage import open_file


def dataset_frame(dataset: Dataset) -> pd.DataFrame:
    """Return the dataset's rows; raises DatasetCorrupt where the file is not what was frozen."""
    with dataset_file(dataset) as file:
        return pd.read_parquet(file)


def dataset_file(dataset: Dataset) -> IO[bytes]:
    """Open the dataset's Parquet file, whose parts can be read at flat memory.

    Raises DatasetCorrupt where it is not what was frozen.
    """
    if not dataset.file:
        raise DatasetCorrupt(f"The rows of dataset {dataset} are kept no more. Import them again.")
    try:
        file = open_file(dataset.file)
        same = hashlib.file_digest(file, "sha256").hexdigest() == dataset.content_hash  # type: ignore[arg-type]
    except FileNotFoundError as error:
        raise _corrupt(dataset, "is missing") from error
    except OSError as error:
        raise _corrupt(dataset, "cannot be read") from error
    except SealBroken as error:
        raise _corrupt(dataset, f"does not open ({error.detail})") from error
    if not same:
        file.close()
        raise _corrupt(dataset, "has changed since it was frozen")
    file.seek(0)
    return file


def _corrupt(dataset: Dataset, fate: str) -> DatasetCorrupt:
    return DatasetCorrupt(
        f"The file of dataset {dataset} {fate}. Restore it from a backup or import it again."
    )
