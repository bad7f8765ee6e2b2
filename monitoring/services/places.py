"""Where in the roll-ups a row is counted: in its hour as a whole, and in each slice that it belongs to."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd

from monitoring.models import Rollup
from monitoring.services.windows import hour_of
from monitoring.statistics.grouping import Places
from monitoring.statistics.slices import slices_of
from registry.models import ModelVersion

AN_HOUR = timedelta(hours=1)


class Part(NamedTuple):
    """A slice, by its column and its name; both are empty for the whole."""

    column: str = ""
    value: str = ""


WHOLE = Part()


class Slot(NamedTuple):
    """One roll-up of a version: its beginning and its part."""

    begins: datetime
    part: Part = WHOLE


def slots_of(
    version: ModelVersion,
    moments: Sequence[datetime],
    cuts: Sequence[datetime],
    features: pd.DataFrame | None,
) -> dict[Slot, Places]:
    """Return where the rows made at these moments, in ascending order, are counted, by their positions.

    ``cuts`` are the moments at which the champion changed; slices are left out without ``features``.
    """
    hours = list(_stretches(moments, cuts))
    found = {Slot(begins): np.arange(start, stop) for begins, start, stop in hours}
    for part, places in slices_in(version, moments, features) if features is not None else ():
        for begins, start, stop in hours:
            first, last = np.searchsorted(places, (start, stop))
            if first < last:
                found[Slot(begins, part)] = places[first:last]
    return found


def _stretches(moments: Sequence[datetime], cuts: Sequence[datetime]) -> Iterator[tuple[datetime, int, int]]:
    """Yield each stretch's beginning, and the positions [start, stop) of its rows.

    A stretch is an hour, or what a change of the champion leaves of it.
    """
    start = 0
    while start < len(moments):
        hour, cut = hour_of(moments[start]), bisect_right(cuts, moments[start])
        ends = min([hour + AN_HOUR, *cuts[cut : cut + 1]])
        stop = bisect_left(moments, ends, start)
        yield max([hour, *cuts[:cut][-1:]]), start, stop
        start = stop


def slices_in(
    version: ModelVersion, moments: Sequence[datetime], features: pd.DataFrame
) -> Iterator[tuple[Part, Places]]:
    """Yield the model's slices with the positions of their rows, ascending.

    Rows older than a slicing are in none of its slices, also when their outcome comes later: so what is taken
    away from a slice was once added to it.
    """
    for column, rule in version.model.slices.items():
        if column not in features:
            continue
        since = datetime.fromisoformat(rule["since"])
        fresh = np.array([moment >= since for moment in moments], dtype=bool)
        for value, positions in slices_of(rule, features[column]).items():
            kept = positions[fresh[positions]]
            if len(kept):
                yield Part(column, value), kept


def rollups_at(version: ModelVersion, slots: Collection[Slot]) -> dict[Slot, Rollup]:
    """Return the version's roll-ups of these slots, locked until the transaction ends; new ones are made."""
    found = _stored(version, slots)
    if len(found) < len(slots):
        new = [_empty(version, slot) for slot in slots if slot not in found]
        Rollup.objects.bulk_create(new, ignore_conflicts=True)  # another worker may have made them meanwhile
        found = _stored(version, slots)
    return found


def _empty(version: ModelVersion, slot: Slot) -> Rollup:
    column, value = slot.part
    return Rollup(
        version=version, model=version.model, begins=slot.begins, slice_column=column, slice_value=value
    )


def _stored(version: ModelVersion, slots: Collection[Slot]) -> dict[Slot, Rollup]:
    begins = {slot.begins for slot in slots}
    columns = {slot.part.column for slot in slots}
    rows = Rollup.objects.filter(version=version, begins__in=begins, slice_column__in=columns)
    by_slot = {
        Slot(row.begins, Part(row.slice_column, row.slice_value)): row
        for row in rows.order_by("pk").select_for_update()
    }
    return {slot: by_slot[slot] for slot in slots if slot in by_slot}
