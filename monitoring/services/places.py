"""Where in the roll-ups a row is counted: in its hour as a whole, and in each slice that it belongs to."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitoring.frames import AskedRows
from monitoring.models import Rollup
from monitoring.statistics.slices import slices_of
from registry.models import ModelVersion, Prediction


class Part(NamedTuple):
    """A slice, by its column and its name; both are empty for the whole."""

    column: str = ""
    value: str = ""


WHOLE = Part()


def slices_in(
    version: ModelVersion, rows: Sequence[Prediction], asked: AskedRows
) -> Iterator[tuple[Part, npt.NDArray[np.int64]]]:
    """Yield the model's slices with the positions of their rows.

    Rows older than a slicing are in none of its slices, also when their outcome comes later: so what is taken
    away from a slice was once added to it.
    """
    for column, rule in version.model.slices.items():
        if column not in asked.features:
            continue
        since = datetime.fromisoformat(rule["since"])
        fresh = np.array([row.created_at >= since for row in rows], dtype=bool)
        for value, positions in slices_of(rule, asked.features[column]).items():
            kept = positions[fresh[positions]]
            if len(kept):
                yield Part(column, value), kept


def rollup_at(version: ModelVersion, begins: datetime, part: Part = WHOLE) -> Rollup:
    """Return the roll-up of the stretch that begins then, locked until the transaction ends."""
    key = {"version": version, "begins": begins, "slice_column": part.column, "slice_value": part.value}
    Rollup.objects.get_or_create(**key, defaults={"model": version.model})
    return Rollup.objects.select_for_update().get(**key)
