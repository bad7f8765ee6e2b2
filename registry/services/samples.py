"""A bounded sample of a version's data, read at flat memory."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from registry.frames import dataset_file
from registry.models import Dataset

ROWS_AT_ONCE = 50_000


def dataset_sample(dataset: Dataset, columns: Sequence[str], rows: int, *, seed: int = 0) -> pd.DataFrame:
    """Return so many random rows of the dataset, or all it has, in their order; always the same ones.

    Raises DatasetCorrupt where the file is not what was frozen, or kept no more.
    """
    with dataset_file(dataset) as file:
        table = pq.ParquetFile(file)
        count = table.metadata.num_rows
        draw = np.random.default_rng(seed)
        chosen = np.sort(draw.choice(count, min(rows, count), replace=False))
        parts, start = [], 0
        for batch in table.iter_batches(ROWS_AT_ONCE, columns=list(columns)):
            here = chosen[(chosen >= start) & (chosen < start + batch.num_rows)] - start
            parts.append(batch.take(pa.array(here)))
            start += batch.num_rows
    return pa.Table.from_batches(parts).to_pandas() if parts else pd.DataFrame(columns=list(columns))
