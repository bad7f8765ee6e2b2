"""What has changed between two histograms of a column, in sentences."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from monitoring.statistics.drift import bin_counts

NOTABLE_SHARE = 0.02  # a change of a share that is worth a sentence
EXPECTED_OF_GONE = 5  # of fewer, chance alone explains that none came
MOST_CHANGES = 3


def column_in_words(
    reference: Mapping[str, Any],
    current: Mapping[str, Any],
    *,
    appeared: Sequence[str] = (),
    vanished: Sequence[str] = (),
) -> list[str]:
    """Tell how the current counts differ from the reference's, on the same bins.

    Numbers by their middle and by the bin that changed most, categories by the shares that changed most, both
    by missing values. ``appeared`` and ``vanished`` are names of categories. Empty where a side has no rows.
    """
    before, after = sum(bin_counts(reference)), sum(bin_counts(current))
    if not before or not after:
        return []
    said = _numbers(reference, current) if "edges" in reference else _categories(reference, current)
    if appeared:
        said.append(f"New: {_listed(appeared)}.")
    gone = [name for name in vanished if _expected(reference, name, after / before) >= EXPECTED_OF_GONE]
    if gone:
        said.append(f"No longer seen: {_listed(gone)}.")
    missing = _moved(reference.get("missing", 0) / before, current.get("missing", 0) / after)
    return [*said, f"Missing values {missing}."] if missing else said


def percent(share: float) -> str:
    """Return the share as people write it."""
    return f"{100 * share:.2g}%" if share < 0.1 else f"{share:.0%}"


def _numbers(reference: Mapping[str, Any], current: Mapping[str, Any]) -> list[str]:
    edges = list(reference["edges"])
    if not edges or not sum(reference["counts"]) or not sum(current["counts"]):
        return []
    p, q = (np.asarray(side["counts"]) / sum(side["counts"]) for side in (reference, current))
    said = []
    middles = [_middle(edges, share) for share in (p, q)]
    if middles[0] != middles[1]:
        way = "up" if _place(q) > _place(p) else "down"
        said.append(f"The middle value went {way}, from {middles[0]} to {middles[1]}.")
    place = int(np.argmax(np.abs(q - p)))
    moved = _moved(float(p[place]), float(q[place]))
    return [*said, f"Values {_bin(edges, place)} {moved}."] if moved else said


def _categories(reference: Mapping[str, Any], current: Mapping[str, Any]) -> list[str]:
    before, after = (max(1, sum(side["counts"]) + side.get("other", 0)) for side in (reference, current))
    names = [*(f"“{name}”" for name in reference["categories"]), "Other values"]
    counts = zip(
        names,
        [*reference["counts"], reference.get("other", 0)],
        [*current["counts"], current.get("other", 0)],
        strict=True,
    )
    shares = sorted(((name, one / before, other / after) for name, one, other in counts), key=_by_change)
    found = [(name, moved) for name, p, q in shares[:MOST_CHANGES] if (moved := _moved(p, q))]
    return [f"{name} {moved}." for name, moved in found]


def _by_change(share: tuple[str, float, float]) -> float:
    return -abs(share[2] - share[1])


def _moved(before: float, after: float) -> str:
    if abs(after - before) < NOTABLE_SHARE:
        return ""
    return f"went {'up' if after > before else 'down'} from {percent(before)} to {percent(after)}"


def _place(shares: "np.ndarray[Any, Any]") -> int:
    return int(np.searchsorted(np.cumsum(shares), 0.5))


def _middle(edges: list[float], shares: "np.ndarray[Any, Any]") -> str:
    return _bin(edges, min(_place(shares), len(edges)))


def _bin(edges: list[float], place: int) -> str:
    if place == 0:
        return f"up to {edges[0]:.4g}"
    if place == len(edges):
        return f"above {edges[-1]:.4g}"
    low, high = list(pairwise(edges))[place - 1]
    return f"{low:.4g} to {high:.4g}"


def _expected(reference: Mapping[str, Any], name: str, ratio: float) -> float:
    return float(reference["counts"][list(reference["categories"]).index(name)] * ratio)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)
