"""Which rows are most worth a label: those that tell most about what the model does not know."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.tabular.histograms import codes_on

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
    nearness: Floats = -np.abs(scores - sum(ends) / 2)
    return nearness


def strangeness(reference: Mapping[str, Mapping[str, Any]], rows: pd.DataFrame) -> Floats:
    """Return how far each row lies from the reference profile, (n,): the mean over its columns, in bits.

    Of categories and missing values -log2 of the smoothed share of their bin; of numbers log2(1 + d), where d
    is the distance from the middle of the reference, in widths of its middle four fifths: its bins hold a
    tenth each and could not tell a large value from a huge one. NaN where no column has a reference.
    """
    found = [_oddness(dict(reference[name]), rows[name]) for name in rows.columns if name in reference]
    mean: Floats = np.mean(found, axis=0) if found else np.full(len(rows), np.nan)
    return mean


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


def _oddness(histogram: dict[str, Any], values: "pd.Series[Any]") -> Floats:
    counts = [*histogram["counts"], *([histogram["other"]] if "other" in histogram else [])]
    shares = np.array([*counts, histogram["missing"]], dtype="float64") + 0.5
    surprise: Floats = -np.log2(shares / shares.sum())[codes_on(histogram, values)]
    edges = histogram.get("edges")
    if not edges:
        return surprise
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
    width = edges[-1] - edges[0]
    distance = np.abs(numbers - edges[len(edges) // 2]) / (width if width > 0 else 1.0)
    return np.where(np.isfinite(distance), np.log2(1 + distance), surprise)


def _apart(one: str | float | None, other: str | float | None) -> float:
    if one is None or other is None or other == "":
        return float("nan")
    if isinstance(one, str) or isinstance(other, str):
        return float(one != other)
    return abs(one - other)
