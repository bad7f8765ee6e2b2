"""Every column of two samples, by every measure that suits it: from counts, or exactly from the rows."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from monitoring.statistics.divergence import (
    ChiSquare,
    binned_kolmogorov_smirnov,
    binned_wasserstein,
    divergences,
)
from monitoring.statistics.drift import bin_counts
from monitoring.statistics.psi import population_stability_index
from monitoring.statistics.samples import KolmogorovSmirnov, TwoSamples
from registry.tabular.histograms import Histogram, category_histogram, count_on, sorted_histogram


@dataclass(frozen=True)
class Comparison:
    """What the measures say of one column.

    ``kolmogorov_smirnov`` and ``wasserstein`` (in standard deviations of the reference) need the rows;
    ``binned_distance`` and ``binned_wasserstein`` come near them on bins. All four are for numbers alone.
    ``appeared`` says whether
    the current rows hold categories beyond the reference's, ``vanished`` names those no longer there.
    """

    psi: float
    jensen_shannon: float
    hellinger: float
    l_infinity: float
    chi_square: ChiSquare
    cramers_v: float
    binned_distance: float | None = None
    binned_wasserstein: float | None = None
    kolmogorov_smirnov: KolmogorovSmirnov | None = None
    wasserstein: float | None = None
    appeared: bool = False
    vanished: tuple[str, ...] = ()


def compare_counts(reference: Mapping[str, Any], current: Mapping[str, Any]) -> Comparison | None:
    """Compare two histograms on the same bins, as ``registry.tabular.histograms`` makes them.

    Missing values, and categories beyond the reference's, are bins like any other. None where a side has no
    rows; raises ValueError where the bins differ.
    """
    before, after = bin_counts(reference), bin_counts(current)
    if not sum(before) or not sum(after):
        return None
    found = divergences(before, after)
    comparison = Comparison(
        psi=population_stability_index(before, after),
        jensen_shannon=found.jensen_shannon,
        hellinger=found.hellinger,
        l_infinity=found.l_infinity,
        chi_square=found.chi_square,
        cramers_v=found.cramers_v,
    )
    if "categories" in reference:
        return replace(
            comparison,
            appeared=bool(current["other"]) and not reference["other"],
            vanished=_vanished(reference, current),
        )
    if not sum(reference["counts"]) or not sum(current["counts"]):
        return comparison
    before, after = reference["counts"], current["counts"]
    return replace(
        comparison,
        binned_distance=binned_kolmogorov_smirnov(before, after),
        binned_wasserstein=binned_wasserstein(before, after, reference["edges"]),
    )


def compare_column(reference: "pd.Series[Any]", current: "pd.Series[Any]") -> Comparison | None:
    """Compare the rows of one column, (n,) and (m,), on bins of the reference and without bins.

    Numbers by their values, anything else as categories. None where a side has no rows.
    """
    if not pd.api.types.is_numeric_dtype(reference):
        named = category_histogram(reference)
        return compare_counts(named, count_on(named, current))
    before, after = _floats(reference), _floats(current)
    if not np.isfinite(before).any() or not np.isfinite(after).any():
        empty = sorted_histogram(np.sort(before[np.isfinite(before)]), len(before))
        return compare_counts(empty, count_on(empty, pd.Series(after)))
    two = TwoSamples.of(before, after)
    counted = sorted_histogram(two.reference, len(before))
    comparison = compare_counts(counted, _counted(two, counted, len(after)))
    if comparison is None:
        return None
    return replace(
        comparison, kolmogorov_smirnov=two.kolmogorov_smirnov(), wasserstein=two.normed_wasserstein()
    )


def compare_frames(
    reference: pd.DataFrame, current: pd.DataFrame, *, threads: int | None = None
) -> dict[str, Comparison]:
    """Compare every column of the (n, d) reference that the (m, e) current rows have too.

    Columns go to as many threads as the machine has cores, unless ``threads`` says otherwise: sorting, which
    is most of the work, does not hold the others up.
    """
    names = [name for name in reference.columns if name in current.columns]
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        columns = zip((reference[name] for name in names), (current[name] for name in names), strict=True)
        found = pool.map(lambda pair: compare_column(*pair), columns)
    return {
        str(name): comparison for name, comparison in zip(names, found, strict=True) if comparison is not None
    }


def _floats(values: "pd.Series[Any]") -> "np.ndarray[Any, np.dtype[np.float64]]":
    return values.to_numpy(dtype="float64", na_value=np.nan)


def _counted(two: TwoSamples, reference: Histogram, rows: int) -> Histogram:
    _, counts = two.counts_on(np.asarray(reference["edges"], dtype="float64"))
    return {**reference, "counts": [int(count) for count in counts], "missing": rows - two.current.size}


def _vanished(reference: Mapping[str, Any], current: Mapping[str, Any]) -> tuple[str, ...]:
    triples = zip(reference["categories"], reference["counts"], current["counts"], strict=True)
    return tuple(str(name) for name, before, after in triples if before and not after)
