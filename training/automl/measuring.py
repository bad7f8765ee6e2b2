"""How large a fitted pipeline is, and how long one answer takes."""

import pickle
import time
from typing import Any

import pandas as pd

from registry.inference.native import predict

TRIES = 5


class _Counter:
    """A file that keeps nothing but its length."""

    def __init__(self) -> None:
        self.length = 0

    def write(self, data: Any) -> int:
        """Count the bytes."""
        size = memoryview(data).nbytes
        self.length += size
        return size


def size_of(pipeline: Any) -> int:
    """Bytes of the pipeline as it would be stored, uncompressed."""
    counter = _Counter()
    pickle.Pickler(counter, protocol=5).dump(pipeline)
    return counter.length


def milliseconds_of(pipeline: Any, frame: pd.DataFrame) -> float:
    """Milliseconds that one row's answer takes: the quickest of five, for other work only adds to it."""
    row = frame.head(1)
    took = []
    for _ in range(TRIES):
        started = time.perf_counter()
        predict(pipeline, row, None)
        took.append(time.perf_counter() - started)
    return 1000 * min(took)
