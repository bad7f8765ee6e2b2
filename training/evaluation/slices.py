"""Scores of parts of the rows, and how far apart they are."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.problems import Predictions, ProblemType
from registry.tabular.groups import NUMBERS, groups_of
from registry.tabular.schema import Column, ColumnType
from training.evaluation.coded import ClassAnswers, NumberAnswers, coded
from training.evaluation.resampling import intervals_of, scores_of

SLICED = NUMBERS | {ColumnType.category, ColumnType.boolean}


class Slice(msgspec.Struct, frozen=True):
    """The rows with one value of a column: how many, and every metric that is defined for them.

    ``low`` and ``high`` are the ends of the primary metric's interval, None where it has none.
    """

    column: str
    value: str
    rows: int
    scores: dict[str, float]
    low: float | None = None
    high: float | None = None


class Gap(msgspec.Struct, frozen=True):
    """How differently two groups of a column fare; ``difference`` is at least 0.

    ``measure`` is ``selection_rate`` (demographic parity), ``true_positive_rate`` (equal opportunity),
    ``false_positive_rate`` or the name of the primary metric.
    """

    column: str
    measure: str
    highest: str
    lowest: str
    difference: float
    ratio: float | None


def score_slices(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    truth: npt.NDArray[Any],
    predictions: Predictions,
    problem: ProblemType,
) -> list[Slice]:
    """Score the rows of each value of each category or boolean column, and of each quarter of a number.

    Args:
        frame: n canonical rows. truth: their n targets. predictions: of the same rows.

    Values with fewer than 20 rows are left out: their scores would say nothing.
    """
    answers = coded(problem, truth, predictions)
    if answers is None:
        return []
    return [
        _slice(column.name, value, answers.take(rows), problem.primary_metric)
        for column in columns
        if column.type in SLICED
        for value, rows in groups_of(frame[column.name], column.type).items()
    ]


def _slice(column: str, value: str, inside: ClassAnswers | NumberAnswers, primary: str) -> Slice:
    low, high = intervals_of(inside, names=[primary]).get(primary, (None, None))
    return Slice(column, value, len(inside), scores_of(inside), low, high)


def fairness_gaps(
    column: str,
    values: "pd.Series[Any]",
    truth: npt.NDArray[Any],
    predictions: Predictions,
    problem: ProblemType,
    favourable: str | None = None,
    kind: ColumnType = ColumnType.category,
) -> list[Gap]:
    """Between the groups of one column: gaps of the primary metric, and of rates of the favourable answer.

    Args:
        values: n values of the column. truth: n targets. predictions: of the same rows.
        favourable: the label that people hope for; the rates need it (Hardt, Price, Srebro 2016).
    """
    groups = groups_of(values, kind)
    answers, primary = coded(problem, truth, predictions), problem.primary_metric
    if answers is None:
        return []
    measured = {primary: {g: scores_of(answers.take(r)).get(primary) for g, r in groups.items()}}
    if favourable is not None:
        chosen, deserved = predictions.values == favourable, truth == favourable
        measured |= {
            "selection_rate": {g: float(chosen[r].mean()) for g, r in groups.items()},
            "true_positive_rate": {g: _rate(chosen[r], deserved[r]) for g, r in groups.items()},
            "false_positive_rate": {g: _rate(chosen[r], ~deserved[r]) for g, r in groups.items()},
        }
    gaps = (_gap(column, measure, by_group) for measure, by_group in measured.items())
    return [gap for gap in gaps if gap is not None]


def _rate(chosen: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_]) -> float | None:
    return float(chosen[among].mean()) if among.any() else None


def _gap(column: str, measure: str, by_group: dict[str, float | None]) -> Gap | None:
    known = {group: value for group, value in by_group.items() if value is not None}
    if len(known) < 2:
        return None
    highest, lowest = max(known, key=known.__getitem__), min(known, key=known.__getitem__)
    top, bottom = known[highest], known[lowest]
    return Gap(column, measure, highest, lowest, top - bottom, bottom / top if top > 0 else None)
