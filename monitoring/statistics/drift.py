"""Whether a column's present values still look like the reference's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitoring.statistics.psi import NOTABLE, noise_threshold, population_stability_index

FALSE_ALARM_RATE = 0.01  # of a whole check, over all of its columns


@dataclass(frozen=True)
class ColumnDrift:
    """One column's index, the threshold that it was held against, and the verdict."""

    score: float
    threshold: float
    drifted: bool


def column_drift(
    reference: Mapping[str, Any], current: Mapping[str, Any], *, columns: int
) -> ColumnDrift | None:
    """Compare two histograms of one column, as ``registry.tabular.histograms`` makes them.

    Missing values, and categories beyond those of the reference, are bins like any other. The threshold is
    the customary 0.1, or more where chance alone could reach that much: all ``columns`` of a check together
    give a false alarm in about 1 % of checks (Bonferroni). None where either side has no rows.
    """
    before, after = bin_counts(reference), bin_counts(current)
    rows_before, rows_after = int(sum(before)), int(sum(after))
    if not rows_before or not rows_after:
        return None
    score = population_stability_index(before, after)
    bins = sum(1 for left, right in zip(before, after, strict=True) if left or right)
    noise = noise_threshold(rows_before, rows_after, bins, FALSE_ALARM_RATE / max(1, columns))
    threshold = max(NOTABLE, noise)
    return ColumnDrift(score, threshold, score > threshold)


def bin_counts(histogram: Mapping[str, Any]) -> list[int]:
    """Return the counts of all bins: the named ones, then other categories, then missing values."""
    return [*histogram["counts"], histogram.get("other", 0), histogram.get("missing", 0)]
