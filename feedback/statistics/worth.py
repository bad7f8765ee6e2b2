"""Which rows are most worth a label: those that tell most about what the model does not know."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.tabular.histograms import codes_on, width_of

Floats = npt.NDArray[np.float64]


def ranked(scores: Floats) -> Floats:
    """Return the share of rows that score lower than each, (n,) from 0 to 1; 0 for missing scores.

    So unlike measures can be held against each other, and one that is the same for all rows tells nothing.
    """
    known, ranks = np.isfinite(scores), np.zeros(len(scores))
    if known.any():
        ranks[known] = (pd.Series(scores[known]).rank(method="min").to_numpy() - 1) / known.sum()
    return ranks


def doubt_of_classes(probabilities: Sequence[Mapping[str, float] | None]) -> Floats:
    """Return 1 less the margin between the two likeliest classes, (n,); NaN without probabilities."""
    return np.array([_doubt(row) for row in probabilities], dtype="float64")


def doubt_of_flags(flagged: npt.NDArray[np.bool_], scores: Floats) -> Floats:
    """Return how near each score lies to the border between flagged and other rows, (n,), 0 or less.

    NaN where only one kind is there, so that nobody knows the border.
    """
    known = np.isfinite(scores)
    ours, others = scores[known & flagged], scores[known & ~flagged]
    if not len(ours) or not len(others):
        return np.full(len(scores), np.nan)
    ends = (ours.min(), others.max()) if ours.mean() > others.mean() else (ours.max(), others.min())
    return -np.abs(scores - sum(ends) / 2)


def strangeness(reference: Mapping[str, Mapping[str, Any]], rows: pd.DataFrame) -> Floats:
    """Return how rare each row's values are in the reference profile, (n,): the mean surprise of its columns.

    The surprise of a value is -log2 of the smoothed share of its bin; a row in the usual bins has little.
    """
    surprises = [_surprises(dict(reference[name]), rows[name]) for name in rows.columns if name in reference]
    return np.mean(surprises, axis=0) if surprises else np.full(len(rows), np.nan)


def difference(heard: Sequence[str | float | None], other: Sequence[str | float | None]) -> Floats:
    """Return how far another version's answer lies from the one that was heard, (n,).

    Of classes 0 or 1, of numbers the distance; NaN where the other version has no answer.
    """
    return np.array([_apart(one, two) for one, two in zip(heard, other, strict=True)], dtype="float64")


def _doubt(row: Mapping[str, float] | None) -> float:
    if not row or len(row) < 2:
        return float("nan")
    second, first = sorted(row.values())[-2:]
    return 1.0 - (first - second)


def _surprises(histogram: dict[str, Any], values: "pd.Series[Any]") -> Floats:
    bins = [*histogram["counts"], *([histogram["other"]] if "other" in histogram else [])]
    counts = np.array([*bins, histogram["missing"]], dtype="float64")
    codes, width = codes_on(histogram, values), width_of(histogram)
    shares = (counts + 0.5) / (counts.sum() + 0.5 * width)
    found: Floats = -np.log2(shares)[codes]
    return found


def _apart(one: str | float | None, other: str | float | None) -> float:
    if one is None or other is None or other == "":
        return float("nan")
    if isinstance(one, str) or isinstance(other, str):
        return float(one != other)
    return abs(one - other)
