"""A version's hours taken together: what a window of any length is judged by."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlplatform.tenancy.scope import tenant_transaction
from monitoring.counting import BINS
from monitoring.models import Rollup
from monitoring.services.places import WHOLE, Part
from monitoring.services.rollups import roll_up
from monitoring.services.uncounted import as_text, from_texts
from monitoring.services.windows import Window
from monitoring.statistics.tallies import Tally, add_to
from registry.models import ModelVersion
from registry.tabular.histograms import all_added

SUMMED = ("columns", "quality")


@dataclass(frozen=True)
class Sums:
    """The sums; empty mappings where nothing is known.

    ``columns``: histograms on the reference's bins by feature, the answers under ``prediction``.
    """

    predictions: int
    labelled: int
    columns: dict[str, Any]
    quality: Tally


def sums_of(window: Window, part: Part = WHOLE) -> Sums:
    """Count what is not counted yet, and return the sums over the window."""
    roll_up()
    return sums_between(window.version, window.start, window.end, part)


def sums_between(version: ModelVersion, since: datetime, until: datetime, part: Part = WHOLE) -> Sums:
    """Return the sums over the version's roll-ups, or a slice's, that begin in [since, until)."""
    hours = Rollup.objects.filter(
        version=version,
        begins__gte=since,
        begins__lt=until,
        slice_column=part.column,
        slice_value=part.value,
    )
    texts = [as_text(name) for name in SUMMED]
    with tenant_transaction():
        found = list(hours.order_by("begins", "pk").values_list("predictions", "labelled", *texts))
    columns, quality = (from_texts([row[place] for row in found]) for place in (2, 3))
    return Sums(
        sum(row[0] for row in found),
        sum(row[1] for row in found),
        _named(version, columns),
        sum_of(quality),
    )


def sum_of(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of the tallies."""
    total: Tally = {}
    for one in tallies:
        add_to(total, one)
    return total


def _named(version: ModelVersion, hours: list[dict[str, Any]]) -> dict[str, Any]:
    """Add up each column's counts, and give them the names of their bins.

    A column that was marked personal since has lost its reference, and is left out.
    """
    by_column: dict[str, list[dict[str, Any]]] = {}
    for hour in hours:
        for name, counts in hour.items():
            by_column.setdefault(name, []).append(counts)
    return {
        name: {**{key: known[key] for key in BINS if key in known}, **all_added(several)}
        for name, several in by_column.items()
        if (known := version.reference.get(name)) is not None
    }
