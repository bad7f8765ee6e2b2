"""What a check compares of one column: two histograms on the same bins."""

from collections.abc import Mapping
from typing import Any

from monitoring.statistics.alarms import Divergence
from monitoring.statistics.psi import population_stability_index


def column_divergence(reference: Mapping[str, Any], current: Mapping[str, Any]) -> Divergence | None:
    """Compare two histograms of one column, as ``registry.tabular.histograms`` makes them.

    Missing values, and categories beyond those of the reference, are bins like any other. None where either
    side has no rows.
    """
    before, after = bin_counts(reference), bin_counts(current)
    if not sum(before) or not sum(after):
        return None
    used = sum(1 for left, right in zip(before, after, strict=True) if left or right)
    score = population_stability_index(before, after)
    return Divergence(score, int(sum(before)), int(sum(after)), used)


def bin_counts(histogram: Mapping[str, Any]) -> list[int]:
    """Return the counts of all bins: the named ones, then other categories, then missing values."""
    return [*histogram["counts"], histogram.get("other", 0), histogram.get("missing", 0)]
