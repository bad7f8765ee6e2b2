"""Schema and profile of frozen rows, however many they are."""

from typing import IO, Any

import pandas as pd

from registry.frames import dataset_file
from registry.models import Dataset
from registry.tabular.columns import Column
from registry.tabular.scan import Types, describe, describe_parts
from registry.tabular.writing import read_parts

EXACT_CELLS = 10_000_000  # a larger table is described in parts


def described(
    file: IO[bytes], frame: pd.DataFrame | None, rows: int, types: Types | None = None
) -> tuple[list[Column], dict[str, Any]]:
    """Return schema and profile of what the Parquet file holds; ``frame`` is the same where it is in memory.

    ``types`` are those that somebody chose. Raises SchemaMismatch where values are not of these types.
    """
    if frame is not None:
        return describe(frame, types)
    return describe_parts(lambda: read_parts(file), rows, types)


def described_anew(dataset: Dataset, types: Types) -> tuple[list[Column], dict[str, Any]]:
    """Return schema and profile read from the dataset's file, before any treatment of personal columns.

    Raises SchemaMismatch where values are not of these types, DatasetCorrupt where the file is not what was
    frozen.
    """
    with dataset_file(dataset) as file:
        small = dataset.rows * len(dataset.columns) <= EXACT_CELLS
        return described(file, pd.read_parquet(file) if small else None, dataset.rows, types)
