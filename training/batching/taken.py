"""A piece of the input as it was read, before anybody has looked whether it suits the model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Flags = npt.NDArray[np.bool_]
Exact = Callable[[Sequence[int]], list[dict[str, Any]]]


@dataclass(frozen=True)
class Taken:
    """n rows: the columns that the model wants, and those that are carried along.

    ``broken`` says of rows by their place why they could not be read at all; ``doubtful`` marks (n,) those in
    which something was not of its column's kind; ``exact`` gives rows by their places as they would be sent
    as JSON. ``nulls`` are the spellings of a missing value in text.
    """

    table: pa.Table
    exact: Exact
    doubtful: Flags
    broken: dict[int, str] = field(default_factory=dict)
    nulls: Sequence[str] = ("",)

    def __len__(self) -> int:
        return int(self.table.num_rows)
