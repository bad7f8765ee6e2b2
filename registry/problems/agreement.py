"""How far two models give the same answers for the same rows, when nobody knows yet which one is right."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from scipy.stats import norm

from registry.problems.base import Predictions

ONE_SIDED = 0.95
ALIKE = 0.1  # of the spread of the heard answers, within which two numbers count as the same
MOST_SHOWN = 10


@dataclass(frozen=True)
class Crossing:
    """Rows that one model called this and the other that."""

    heard: str
    shadow: str
    rows: int


@dataclass(frozen=True)
class Agreement:
    """How many of ``rows`` had the same answer: the ``share``, and what it is at least with 95 %.

    Numbers are the same ``within`` this much of each other, which is None for labels. ``difference`` is the
    mean, ``largest`` the largest absolute difference of what is behind the answers: the numbers themselves,
    scores, or probabilities of the label that was heard; None where there is none. ``crossings`` are the most
    frequent pairs of different labels.
    """

    rows: int
    share: float
    low: float
    within: float | None = None
    difference: float | None = None
    largest: float | None = None
    crossings: tuple[Crossing, ...] = ()


def agreement(
    heard: Predictions, shadow: Predictions, *, failed: int = 0, labelled: bool, clusters: bool = False
) -> Agreement | None:
    """Hold two models' answers for n rows against each other; None without a row.

    Rows for which the shadow ``failed`` to answer are not among the n, and count as not the same.
    ``clusters`` are called alike by how many rows they share: their names say nothing.
    """
    rows = len(heard) + failed
    if not rows:
        return None
    theirs = _renamed(heard.values, shadow.values) if clusters else shadow.values
    moved = _differences(heard, shadow)
    within = (
        None if labelled else ALIKE * float(np.std(heard.values.astype("float64"))) if len(heard) else 0.0
    )
    same = heard.values == theirs if labelled else moved <= (within or 0.0)
    crossed = Counter(zip(heard.values[~same].tolist(), theirs[~same].tolist(), strict=True))
    shown = crossed.most_common(MOST_SHOWN) if labelled else []
    return Agreement(
        rows=rows,
        share=float(same.sum()) / rows,
        low=least_share(int(same.sum()), rows),
        within=within,
        difference=float(moved.mean()) if len(moved) else None,
        largest=float(moved.max()) if len(moved) else None,
        crossings=tuple(Crossing(str(one), str(other), count) for (one, other), count in shown),
    )


def least_share(count: int, rows: int) -> float:
    """Return what the share ``count`` of ``rows`` is at least, with 95 %.

    The lower end of Wilson's interval (J. Am. Stat. Assoc. 1927;22:209), which holds for few rows as well.
    """
    if not count:
        return 0.0
    reach = float(norm.ppf(ONE_SIDED))
    share, square = count / rows, reach**2 / rows
    spread = reach * math.sqrt(share * (1 - share) / rows + square / (4 * rows))
    return (share + square / 2 - spread) / (1 + square)


def _differences(heard: Predictions, shadow: Predictions) -> npt.NDArray[np.float64]:
    """Return the absolute differences of the numbers behind the answers; empty where there are none."""
    if heard.probabilities is not None and shadow.probabilities is not None:
        columns = {label: place for place, label in enumerate(shadow.classes or [])}
        own = {label: place for place, label in enumerate(heard.classes or [])}
        labels = [str(label) for label in heard.values]
        known = [row for row, label in enumerate(labels) if label in columns and label in own]
        ours = np.array([heard.probabilities[row, own[labels[row]]] for row in known], dtype="float64")
        theirs = np.array([shadow.probabilities[row, columns[labels[row]]] for row in known], dtype="float64")
        return _apart(ours, theirs)
    if heard.scores is not None and shadow.scores is not None:
        return _apart(heard.scores, shadow.scores)
    if heard.values.dtype == object:
        return np.empty(0)
    return _apart(heard.values.astype("float64"), shadow.values.astype("float64"))


def _apart(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    apart: npt.NDArray[np.float64] = np.abs(one - other)
    return apart


def _renamed(heard: npt.NDArray[np.object_], shadow: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Return the shadow's clusters under the names of those with which they share most rows.

    Each takes one name at most, so that most rows agree (the assignment problem; Kuhn, Nav. Res. Logist. Q.
    1955;2:83). What finds no partner keeps its name, marked as the shadow's own.
    """
    names, place = np.unique(heard, return_inverse=True)
    others, other_place = np.unique(shadow, return_inverse=True)
    shared = np.zeros((len(others), len(names)))
    np.add.at(shared, (other_place, place), 1)
    partner = {
        int(one): str(names[other]) for one, other in zip(*linear_sum_assignment(-shared), strict=True)
    }
    called = [partner.get(row, f"{other} (its own)") for row, other in enumerate(others)]
    return np.array([called[row] for row in other_place], dtype=object)
