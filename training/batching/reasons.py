"""Which columns move each answer of a table most."""

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.inference.shapley import shapley_values
from registry.problems.base import Predictions
from training.batching.answering import Reasons

ROWS_AT_ONCE = 200
UNSHOWN, MISSING, LONGEST = "(personal)", "(missing)", 60
Ask = Callable[[pd.DataFrame], Predictions]


def reasons_of(
    ask: Ask,
    frame: pd.DataFrame,
    usual: pd.DataFrame,
    answers: Predictions,
    *,
    count: int,
    personal: Collection[str],
    pace: Callable[[], None],
) -> Reasons:
    """Return the ``count`` columns that move each of n answers most, with the value and the effect of each.

    Effects are Shapley values (``registry.inference.shapley``) of the predicted number, or of the predicted
    class's probability, against ``usual`` rows. Rows are taken 200 at a time with the same random numbers, so
    a piece that is made again has the same reasons. Values of ``personal`` columns are not told. ``pace`` is
    called between the runs.
    """
    words: list[list[str]] = []
    effects: list[npt.NDArray[np.float64]] = []
    for start in range(0, len(frame), ROWS_AT_ONCE):
        rows = frame.iloc[start : start + ROWS_AT_ONCE]
        told = answers.take(np.arange(start, start + len(rows)))
        found = _effects(ask, rows, usual, told)
        order = np.argsort(-np.abs(found), axis=1, kind="stable")[:, :count]
        effects.append(np.take_along_axis(found, order, axis=1))
        words += [
            [_words(rows, place, column, personal) for column in chosen]
            for place, chosen in enumerate(order.tolist())
        ]
        pace()
    return Reasons(words, np.concatenate(effects) if effects else np.empty((0, count)))


def _effects(
    ask: Ask, rows: pd.DataFrame, usual: pd.DataFrame, answers: Predictions
) -> npt.NDArray[np.float64]:
    """Return the effects (n, d) of the columns on what was answered."""

    def asked(some: pd.DataFrame) -> npt.NDArray[np.float64]:
        found = ask(some)
        if found.probabilities is None:
            return np.asarray(found.values, dtype="float64").reshape(-1, 1)
        return found.probabilities

    every = shapley_values(asked, rows, usual, orders=2, least=len(rows))  # (n, d, k)
    if answers.probabilities is None:
        return every[:, :, 0]
    places = {label: place for place, label in enumerate(answers.classes or [])}
    of = np.array([places[label] for label in answers.values])
    return every[np.arange(len(rows)), :, of]


def _words(rows: pd.DataFrame, place: int, column: int, personal: Collection[str]) -> str:
    name = str(rows.columns[column])
    value: Any = rows.iat[place, column]
    if name in personal:
        return f"{name} {UNSHOWN}"
    if pd.isna(value):
        return f"{name} {MISSING}"
    if isinstance(value, float):
        return f"{name} {value:.4g}"
    return f"{name} {str(value)[:LONGEST]}"
