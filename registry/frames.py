"""Frozen rows as DataFrames."""

import hashlib
import io

import pandas as pd

from registry.errors import DatasetCorrupt
from registry.models import Dataset
from registry.storage import read_bytes


def dataset_frame(dataset: Dataset) -> pd.DataFrame:
    """Return the dataset's rows; raises DatasetCorrupt where the file is not what was frozen."""
    try:
        data = read_bytes(dataset.file)
    except OSError as error:
        fate = "is missing" if isinstance(error, FileNotFoundError) else "cannot be read"
        raise DatasetCorrupt(
            f"The file of dataset {dataset} {fate}. Restore it from a backup or import it again."
        ) from error
    if hashlib.sha256(data).hexdigest() != dataset.content_hash:
        raise DatasetCorrupt(
            f"The file of dataset {dataset} has changed since it was frozen. "
            "Restore it from a backup or import it again."
        )
    return pd.read_parquet(io.BytesIO(data))
