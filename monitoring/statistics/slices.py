"""Which rows belong to which slice of a column: a value of its own, or a stretch of numbers."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.tabular.labels import as_text

Places = npt.NDArray[np.int64]
OTHERS, MISSING = "other values", "missing"


def names_of(rule: Mapping[str, Any]) -> list[str]:
    """Return the names of a rule's slices: of ``{"cuts": [...]}`` stretches, of ``{"values": [...]}`` values.

    The last two, or the last one of numbers, are for what is left over.
    """
    if "cuts" in rule:
        cuts = [f"{cut:g}" for cut in rule["cuts"]]
        between = [f"{low} to below {high}" for low, high in pairwise(cuts)]
        return [f"below {cuts[0]}", *between, f"{cuts[-1]} and above", MISSING]
    return [*rule["values"], OTHERS, MISSING]


def slices_of(rule: Mapping[str, Any], values: "pd.Series[Any]") -> dict[str, Places]:
    """Return the positions of each slice's rows among (n,) values; slices without rows are left out."""
    names = names_of(rule)
    if "cuts" in rule:
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
        codes = np.digitize(numbers, rule["cuts"])
        codes[np.isnan(numbers)] = len(names) - 1
    else:
        text = as_text(values)
        known = {name: place for place, name in enumerate(rule["values"])}
        codes = text.map(known).fillna(len(known)).to_numpy(dtype="int64")
        codes[text.isna().to_numpy()] = len(known) + 1
    return {names[code]: np.flatnonzero(codes == code) for code in np.unique(codes)}


def usual_rule(histogram: Mapping[str, Any], most: int) -> dict[str, Any] | None:
    """Return the rule that suits a reference: its most frequent values, or its quarters; None without any."""
    if histogram.get("categories"):
        ranked: Sequence[tuple[int, str]] = sorted(
            zip(histogram["counts"], histogram["categories"], strict=True), key=lambda one: -one[0]
        )
        return {"values": [str(value) for _, value in ranked[:most]]}
    edges = histogram.get("edges") or []
    if not edges:
        return None
    below = np.cumsum(histogram["counts"])[:-1] / max(1, sum(histogram["counts"]))
    nearest = {int(np.abs(below - share).argmin()) for share in (0.25, 0.5, 0.75)}
    # A slice begins with its cut; a bin of the reference ends with its edge.
    return {"cuts": [float(np.nextafter(edges[place], np.inf)) for place in sorted(nearest)]}
