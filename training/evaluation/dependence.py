"""How a model's answer moves with one column, all others left as they are."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.inference.native import predict
from registry.problems import Predictions, ProblemType
from registry.tabular.labels import as_text
from registry.tabular.schema import Column, ColumnType

MAX_ROWS, MAX_VALUES, MAX_FEATURES, MAX_LINES = 100, 10, 6, 4
SHOWN_TYPES = frozenset({ColumnType.numeric, ColumnType.integer, ColumnType.boolean, ColumnType.category})


class Dependence(msgspec.Struct, frozen=True):
    """The mean answer by value of a column: a line for each class shown, one without a name for a number."""

    feature: str
    values: list[float | str]
    lines: dict[str, list[float]]


def partial_dependence(
    pipeline: Any,
    frame: pd.DataFrame,
    features: Sequence[Column],
    problem: ProblemType,
    classes: Sequence[str] | None,
    seed: int = 0,
) -> list[Dependence]:
    """Partial dependence (Friedman 2001) of the first six columns that have values one can line up.

    Each of at most 100 random rows is asked again with each of at most ten of the column's own values: the
    5th to 95th percentile of a number, the most frequent of a category. All is asked in one go.

    Args:
        frame: canonical rows. features: columns of it, the most important first.
        classes: the labels in the order of the probabilities; None for a regression.

    Returns:
        Nothing for a classifier without probabilities.
    """
    lined_up = ((one, _rows_of_values(frame[one.name], one)) for one in features)
    asked = list(islice(((one, rows) for one, rows in lined_up if len(rows) > 1), MAX_FEATURES))
    if not asked:
        return []
    sample = frame.iloc[np.sort(np.random.default_rng(seed).permutation(len(frame))[:MAX_ROWS])]
    parts = [
        sample.assign(**{one.name: frame[one.name].iloc[[row] * len(sample)].set_axis(sample.index)})
        for one, rows in asked
        for row in rows
    ]
    answers = predict(pipeline, pd.concat(parts, ignore_index=True), classes)
    if classes is not None and answers.probabilities is None:
        return []
    means = _means(answers, len(parts))
    found, start = [], 0
    for one, rows in asked:
        lines = means[start : start + len(rows)]
        found.append(Dependence(one.name, _values(frame[one.name], rows, one), _named(lines, classes)))
        start += len(rows)
    return found


def shown_classes(classes: Sequence[str] | None) -> list[str]:
    """The classes whose lines tell all, or the first four: of two the second, whose mirror the first is."""
    if classes is None:
        return []
    return list(classes[1:] if len(classes) == 2 else classes[:MAX_LINES])


def _means(answers: Predictions, parts: int) -> npt.NDArray[np.float64]:
    """The mean answer of each of equally long parts: (parts, classes), or (parts, 1) of numbers."""
    raw = (
        answers.values.astype("float64")[:, None] if answers.probabilities is None else answers.probabilities
    )
    means: npt.NDArray[np.float64] = raw.reshape(parts, -1, raw.shape[1]).mean(axis=1)
    return means


def _named(means: npt.NDArray[np.float64], classes: Sequence[str] | None) -> dict[str, list[float]]:
    if classes is None:
        return {"": means[:, 0].tolist()}
    return {label: means[:, list(classes).index(label)].tolist() for label in shown_classes(classes)}


def _rows_of_values(values: "pd.Series[Any]", column: Column) -> list[int]:
    """Positions of rows that hold the values to try, in the order in which they are shown."""
    if column.type not in SHOWN_TYPES:
        return []
    present = values.reset_index(drop=True).dropna()
    if present.empty:
        return []
    if column.type is ColumnType.category:
        first = present.drop_duplicates()
        counts = present.value_counts()
        kept = counts.index[:MAX_VALUES]
        return [int(first.index[(first == value).to_numpy()][0]) for value in kept]
    ordered = present.sort_values(kind="stable")
    places = np.unique((np.linspace(0.05, 0.95, MAX_VALUES) * (len(ordered) - 1)).round().astype(int))
    chosen = ordered.iloc[places].drop_duplicates()
    if column.type is ColumnType.boolean:
        chosen = ordered.drop_duplicates()
    return [int(row) for row in chosen.index]


def _values(values: "pd.Series[Any]", rows: list[int], column: Column) -> list[float | str]:
    chosen = values.iloc[rows]
    if column.type is ColumnType.category:
        return [str(value) for value in as_text(chosen)]
    if column.type is ColumnType.boolean:
        return ["yes" if value else "no" for value in chosen]
    return [float(value) for value in chosen]
