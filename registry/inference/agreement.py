"""Does another engine, a twin or a walker, answer as its original does?"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd

from registry.inference.files import frame_rows
from registry.inference.twins import TOLERANCE, TwinReport
from registry.problems.base import Predictions
from registry.tabular.schema import Column

MOST_ROWS = 2_000
ROWS_AT_ONCE = 100  # a small request, which is what a twin is asked for


class Answering(Protocol):
    """What answers rows as they were sent."""

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> Predictions:
        """The answers to checked rows, at least one."""


def check_twin(
    twin: Answering,
    ask: Callable[[pd.DataFrame], Predictions],
    frame: pd.DataFrame,
    columns: Sequence[Column],
    *,
    tolerance: float = TOLERANCE,
    seconds: float = 20.0,
) -> TwinReport:
    """Ask both about real rows, the twin as a client would, and say how far they agree.

    Args:
        ask: the original's answers to a canonical frame. frame: rows that are like those to come.
        tolerance: how far two probabilities, or two numbers as a share of the largest, may be apart.
        seconds: after which the twin is asked about no further rows.
    """
    if frame.empty:
        return TwinReport(reason="There was no row to compare it with the original on.", tolerance=tolerance)
    tried = frame.head(MOST_ROWS)
    expected, sent = ask(tried), frame_rows(tried, columns)
    started, rows, labels, difference = time.monotonic(), 0, 0, 0.0
    for start in range(0, len(sent), ROWS_AT_ONCE):
        part = sent[start : start + ROWS_AT_ONCE]
        theirs, ours = expected.take(np.arange(start, start + len(part))), twin.predict(part)
        labels += _other_labels(theirs, ours)
        difference = max(difference, _apart(theirs, ours))
        rows += len(part)
        if time.monotonic() - started > seconds:
            break
    return TwinReport(
        reason=_verdict(rows, labels, difference, tolerance),
        rows=rows,
        labels=labels,
        difference=difference,
        tolerance=tolerance,
    )


def _verdict(rows: int, labels: int, difference: float, tolerance: float) -> str:
    """Why the twin is not taken; empty where it is."""
    if labels:
        return f"On {labels} of {rows} rows its label was another than the original's."
    if difference > tolerance:
        return f"Its numbers are up to {difference:.2g} from the original's; {tolerance:g} is allowed."
    return ""


def _other_labels(theirs: Predictions, ours: Predictions) -> int:
    if np.issubdtype(np.asarray(theirs.values).dtype, np.number):
        return 0
    return int((np.asarray(theirs.values) != np.asarray(ours.values)).sum())


def _apart(theirs: Predictions, ours: Predictions) -> float:
    """The largest difference of two numbers that belong together."""
    numbers = np.issubdtype(np.asarray(theirs.values).dtype, np.number)
    gaps = [_gap(theirs.probabilities, ours.probabilities), _gap(theirs.scores, ours.scores)]
    return max(*gaps, _gap(theirs.values, ours.values) if numbers else 0.0)


def _gap(one: object, two: object) -> float:
    if one is None or two is None:
        return 0.0 if one is two else float("inf")
    theirs, ours = np.asarray(one, dtype="float64"), np.asarray(two, dtype="float64")
    if theirs.shape != ours.shape:
        return float("inf")
    if not np.isfinite(ours).all():
        return float("inf")
    return float(np.abs(theirs - ours).max(initial=0.0)) / max(1.0, float(np.abs(theirs).max(initial=0.0)))
