"""Scores of parts of the rows, and how far apart they are."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.privacy.treatment import UNMARKED, Treater
from registry.problems import Predictions, ProblemType
from registry.tabular.groups import NUMBERS, Groups, groups_of
from registry.tabular.schema import Column, ColumnType
from training.evaluation.coded import ClassAnswers, NumberAnswers, coded
from training.evaluation.resampling import intervals_of, scores_of

SLICED = NUMBERS | {ColumnType.category, ColumnType.boolean}


class Slice(msgspec.Struct, frozen=True):
    """The rows with one value of a column: how many, and every metric that is defined for them.

    ``low`` and ``high`` are the ends of the primary metric's interval, None where it has none. ``personal``
    is the treatment by which ``value`` is told, empty where the column is not personal.
    """

    column: str
    value: str
    rows: int
    scores: dict[str, float]
    low: float | None = None
    high: float | None = None
    personal: str = ""


class Gap(msgspec.Struct, frozen=True):
    """How differently two groups of a column fare; ``difference`` is at least 0.

    ``measure`` is ``selection_rate`` (demographic parity), ``true_positive_rate`` (equal opportunity),
    ``false_positive_rate`` or the name of the primary metric. ``personal`` is the treatment by which the two
    groups are named, empty where the column is not personal.
    """

    column: str
    measure: str
    highest: str
    lowest: str
    difference: float
    ratio: float | None
    personal: str = ""


def score_slices(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    truth: npt.NDArray[Any],
    predictions: Predictions,
    problem: ProblemType,
    treat: Treater = UNMARKED,
) -> list[Slice]:
    """Score the rows of each value of each category or boolean column, and of each quarter of a number.

    Args:
        frame: n canonical rows. truth: their n targets. predictions: of the same rows.
        treat: under which names the values of personal columns are told.

    Values with fewer than 20 rows are left out: their scores would say nothing.
    """
    answers = coded(problem, truth, predictions)
    if answers is None:
        return []
    return [
        _slice(column.name, value, answers.take(rows), problem.primary_metric, treat)
        for column in columns
        if column.type in SLICED
        for value, rows in _groups(column.name, frame[column.name], column.type, treat).items()
    ]


def _groups(column: str, values: "pd.Series[Any]", kind: ColumnType, treat: Treater) -> Groups:
    return treat.groups(column, kind, groups_of(values, kind))


def _slice(
    column: str, value: str, inside: ClassAnswers | NumberAnswers, primary: str, treat: Treater
) -> Slice:
    low, high = intervals_of(inside, names=[primary]).get(primary, (None, None))
    told = str(treat.marks.get(column, ""))
    return Slice(column, value, len(inside), scores_of(inside), low, high, told)


def fairness_gaps(
    column: str,
    values: "pd.Series[Any]",
    truth: npt.NDArray[Any],
    predictions: Predictions,
    problem: ProblemType,
    favourable: str | None = None,
    kind: ColumnType = ColumnType.category,
    treat: Treater = UNMARKED,
) -> list[Gap]:
    """Between the groups of one column: gaps of the primary metric, and of rates of the favourable answer.

    Args:
        values: n values of the column. truth: n targets. predictions: of the same rows.
        favourable: the label that people hope for; the rates need it (Hardt, Price, Srebro 2016).
        treat: under which names the values of a personal column are told.
    """
    groups = _groups(column, values, kind, treat)
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
    told = str(treat.marks.get(column, ""))
    gaps = (_gap(column, measure, by_group, told) for measure, by_group in measured.items())
    return [gap for gap in gaps if gap is not None]


def _rate(chosen: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_]) -> float | None:
    return float(chosen[among].mean()) if among.any() else None


def _gap(column: str, measure: str, by_group: dict[str, float | None], personal: str) -> Gap | None:
    known = {group: value for group, value in by_group.items() if value is not None}
    if len(known) < 2:
        return None
    highest, lowest = max(known, key=known.__getitem__), min(known, key=known.__getitem__)
    top, bottom = known[highest], known[lowest]
    return Gap(column, measure, highest, lowest, top - bottom, bottom / top if top > 0 else None, personal)
