"""What a drift check finds of each column: every measure from the window's sums, and categories by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitoring.counting import ANSWERS
from monitoring.frames import asked_rows
from monitoring.services.places import WHOLE, Part
from monitoring.services.slice_references import reference_of_slice
from monitoring.services.sums import Sums
from monitoring.services.windows import Window
from monitoring.statistics.alarms import Divergence
from monitoring.statistics.comparing import Comparison, compare_counts
from monitoring.statistics.drift import column_divergence
from monitoring.statistics.slices import slices_of
from registry.models import ModelVersion
from registry.tabular.labels import as_text

ROWS_READ_FOR_NAMES = 500
MOST_NAMES = 10
ON_BINS, ON_ROWS = "bins", "rows"


@dataclass(frozen=True)
class ColumnFindings:
    """One column: its index, every measure, its categories new and gone, and what its drift may cost."""

    divergence: Divergence
    measures: dict[str, Any]
    current: dict[str, Any]
    appeared: list[str]
    vanished: list[str]
    importance: float | None
    cost: float
    then: Mapping[str, Any]


def column_findings(window: Window, sums: Sums, part: Part = WHOLE) -> dict[str, ColumnFindings]:
    """Return the findings of each column that both the reference and the window have rows of.

    The reference of a slice is that of its own training rows, which have no answers.

    ``cost`` weighs the Jensen-Shannon distance (0 to 1) by the importance: of what the primary metric loses
    where the feature is noise, about so much is at stake.
    """
    version = window.version
    reference = version.reference if part == WHOLE else reference_of_slice(version, part)
    found = {
        name: _compared(reference[name], counts) for name, counts in sums.columns.items() if name in reference
    }
    new = [name for name, pair in found.items() if pair is not None and pair[1].appeared]
    named = _names_of_new(window, new, part) if new else {}
    importance = _importance(version)
    return {
        name: ColumnFindings(
            divergence=pair[0],
            measures=stored_measures(pair[1]),
            current=sums.columns[name],
            appeared=named.get(name, []),
            vanished=list(pair[1].vanished)[:MOST_NAMES],
            importance=importance.get(name),
            cost=max(0.0, importance.get(name, 0.0)) * pair[1].jensen_shannon,
            then=reference[name],
        )
        for name, pair in found.items()
        if pair is not None
    }


def stored_measures(comparison: Comparison, *, on: str = ON_BINS) -> dict[str, Any]:
    """Return the measures as they are stored and told; those for numbers alone are None of categories.

    ``on`` says what the Kolmogorov-Smirnov and Wasserstein distances were taken from: bins, or rows.
    """
    test, chi = comparison.kolmogorov_smirnov, comparison.chi_square
    exact = on == ON_ROWS
    return {
        "psi": comparison.psi,
        "jensen_shannon": comparison.jensen_shannon,
        "hellinger": comparison.hellinger,
        "l_infinity": comparison.l_infinity,
        "cramers_v": comparison.cramers_v,
        "chi_square": chi.statistic,
        "chi_square_freedom": chi.freedom,
        "chi_square_p": chi.p_value,
        "kolmogorov_smirnov": test.statistic if test else comparison.binned_distance,
        "kolmogorov_smirnov_p": test.p_value if test else None,
        "wasserstein": comparison.wasserstein if exact else comparison.binned_wasserstein,
        "distances_from": on,
    }


def _compared(reference: Mapping[str, Any], current: dict[str, Any]) -> tuple[Divergence, Comparison] | None:
    divergence, comparison = column_divergence(reference, current), compare_counts(reference, current)
    return None if divergence is None or comparison is None else (divergence, comparison)


def _names_of_new(window: Window, columns: list[str], part: Part) -> dict[str, list[str]]:
    """Return the most frequent new categories among the newest rows, as far as they are still kept."""
    asked = asked_rows(window.version, window.start, window.end, limit=ROWS_READ_FOR_NAMES)
    if part != WHOLE:
        sliced = slices_of(window.version.model.slices[part.column], asked.features[part.column])
        asked = asked.take(sliced.get(part.value, np.zeros(0, dtype="int64")))
    named = {}
    for name in columns:
        values = as_text(asked.answers if name == ANSWERS else asked.features[name])
        known = window.version.reference[name]["categories"]
        counts = values[~values.isin(known)].value_counts()
        named[name] = [str(value)[:200] for value in counts.index[:MOST_NAMES]]
    return named


def _importance(version: ModelVersion) -> dict[str, float]:
    return {str(one["feature"]): float(one["mean"]) for one in version.importance or []}
