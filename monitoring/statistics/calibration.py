"""Whether what a model gives as a probability happens as often as it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
BINS = 10


@dataclass(frozen=True)
class ReliabilityBin:
    """The answers whose probability lies in [low, high): how many, what they said, and what happened."""

    low: float
    high: float
    rows: int
    said: float
    happened: float


def reliability(probabilities: Floats, happened: Floats, *, bins: int = BINS) -> list[ReliabilityBin]:
    """Return the reliability diagram over bins of equal width, without those that are empty.

    Args:
        probabilities: (n,) of the class in question, between 0 and 1.
        happened: (n,) 1 where it came true, 0 where not.
        bins: how many of equal width.

    Raises:
        ValueError: lengths differ, or a probability lies outside [0, 1].
    """
    said, came = np.asarray(probabilities, dtype="float64"), np.asarray(happened, dtype="float64")
    if said.shape != came.shape or said.ndim != 1:
        raise ValueError("One outcome is needed for each probability.")
    if said.size and not ((said >= 0) & (said <= 1)).all():
        raise ValueError("Probabilities lie between 0 and 1.")
    place = np.minimum((said * bins).astype(int), bins - 1)
    rows = np.bincount(place, minlength=bins)
    sums, came_true = np.bincount(place, said, bins), np.bincount(place, came, bins)
    return [
        ReliabilityBin(
            i / bins, (i + 1) / bins, int(rows[i]), float(sums[i] / rows[i]), float(came_true[i] / rows[i])
        )
        for i in np.flatnonzero(rows)
    ]


def diagram_of_sureness(sureness: Mapping[str, Mapping[str, float]], bins: int) -> list[ReliabilityBin]:
    """Return the diagram of the answers' own probabilities, from a tally's ``sureness`` on so many bins."""
    found = [(int(place), one) for place, one in sureness.items() if one.get("rows")]
    return [
        ReliabilityBin(
            place / bins,
            (place + 1) / bins,
            int(one["rows"]),
            one.get("said", 0.0) / one["rows"],
            one.get("right", 0) / one["rows"],
        )
        for place, one in sorted(found, key=lambda each: each[0])
    ]


def diagram_of_odds(
    own: Mapping[str, int], other: Mapping[str, int], bins_a_unit: int, *, bins: int = BINS
) -> list[ReliabilityBin]:
    """Return the diagram of one class from counts by bins of its log odds, of its rows and of the others."""
    places = np.array(sorted({int(place) for place in (*own, *other)}), dtype="float64")
    if not places.size:
        return []
    said = 1 / (1 + np.exp(-(places + 0.5) / bins_a_unit))
    came = np.array([own.get(str(int(place)), 0) for place in places], dtype="float64")
    rows = came + np.array([other.get(str(int(place)), 0) for place in places], dtype="float64")
    at = np.minimum((said * bins).astype(int), bins - 1)
    number, sums, hits = (np.bincount(at, weight, bins) for weight in (rows, said * rows, came))
    return [
        ReliabilityBin(
            i / bins, (i + 1) / bins, int(number[i]), float(sums[i] / number[i]), float(hits[i] / number[i])
        )
        for i in np.flatnonzero(number)
    ]


def expected_calibration_error(diagram: Sequence[ReliabilityBin]) -> float | None:
    """Return the mean distance of what was said from what happened, over the rows: between 0 and 1.

    M. P. Naeini, G. F. Cooper, M. Hauskrecht, AAAI 2015. None without rows.
    """
    rows = sum(one.rows for one in diagram)
    return sum(one.rows * abs(one.said - one.happened) for one in diagram) / rows if rows else None


def calibration_error_noise(diagram: Sequence[ReliabilityBin]) -> float:
    """Return the error that a perfectly calibrated model would show on so many rows by chance alone.

    The mean absolute deviation of each bin's share of hits, by the normal approximation; 0 without rows.
    """
    rows = sum(one.rows for one in diagram)
    if not rows:
        return 0.0
    spread = (np.sqrt(2 / np.pi * one.said * (1 - one.said) / one.rows) * one.rows for one in diagram)
    return float(sum(spread) / rows)


def brier_score(probabilities: Floats, happened: Floats) -> float | None:
    """Return the mean squared error of the probabilities: G. W. Brier, *Mon. Weather Rev.* 78 (1950)."""
    said, came = np.asarray(probabilities, dtype="float64"), np.asarray(happened, dtype="float64")
    return float(((said - came) ** 2).mean()) if said.size else None
