"""Who answers a batch: measured on its own first rows, once for all of its pieces."""

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from registry.inference.engines import Engine
from registry.inference.plan import Plan
from registry.inference.twins import TOLERANCE
from registry.problems.base import Predictions

LEAST_ROWS, MOST_ROWS = 1_000, 10_000
FASTER = 1.2  # times, or the original stays: it needs no further word


def chosen_engine(plan: Plan, frame: pd.DataFrame) -> Engine:
    """Return the twin where it takes tables, is faster on these rows and agrees; else the original.

    Agreeing means the same labels, and numbers within the twin's own tolerance. Raises CannotPredict.
    """
    if plan.twin is None or not plan.twin.takes_tables or len(frame) < LEAST_ROWS:
        return Engine.ORIGINAL
    rows = frame.head(MOST_ROWS)
    answers, seconds = {}, {}
    for engine in (Engine.ONNX, Engine.ORIGINAL):
        plan.predict_table(rows.head(100), engine)
        answers[engine], seconds[engine] = _timed(partial(plan.predict_table, rows, engine))
    if seconds[Engine.ONNX] * FASTER > seconds[Engine.ORIGINAL]:
        return Engine.ORIGINAL
    return Engine.ONNX if _agree(*answers.values()) else Engine.ORIGINAL


def _timed(work: Callable[[], Predictions]) -> tuple[Predictions, float]:
    started = time.perf_counter()
    found = work()
    return found, time.perf_counter() - started


def _agree(one: Predictions, other: Predictions) -> bool:
    numbers = np.issubdtype(np.asarray(other.values).dtype, np.number)
    if not numbers and not (one.values == other.values).all():
        return False
    pairs = [(one.probabilities, other.probabilities), (one.scores, other.scores)]
    pairs += [(one.values, other.values)] if numbers else []
    return all(_near(first, second) for first, second in pairs)


def _near(one: object, other: object) -> bool:
    if one is None or other is None:
        return one is other
    first, second = np.asarray(one, dtype="float64"), np.asarray(other, dtype="float64")
    room = TOLERANCE * max(1.0, float(np.abs(second).max(initial=0.0)))
    return bool(np.abs(first - second).max(initial=0.0) <= room)
