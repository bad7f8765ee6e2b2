"""What moves a model's answers on the whole: the Shapley values of some hundred rows, summed up."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from registry.inference.native import predict
from registry.inference.shapley import MOST_ROWS, SECONDS, Floats, shapley_values
from registry.tabular.schema import Column, ColumnType

SHOWN, MOST_CLASSES = 10, 6
ORDERED_TYPES = frozenset({ColumnType.numeric, ColumnType.integer, ColumnType.boolean, ColumnType.date})


class Points(msgspec.Struct, frozen=True):
    """One column's effect on each row's answer.

    ``levels`` say where the row's value stands among the others, 0 the lowest and 1 the highest; None where
    it is missing or has no order.
    """

    effects: list[float]
    levels: list[float | None]


class FeatureEffect(msgspec.Struct, frozen=True):
    """How far a column moves the answer on average, up or down; for several classes of each one, too."""

    feature: str
    mean: float
    by_class: dict[str, float] = {}
    points: Points | None = None


class WholeEffects(msgspec.Struct, frozen=True):
    """The effects on ``rows`` rows, the largest first; ``label`` is the class whose dots are kept."""

    rows: int
    label: str | None
    features: list[FeatureEffect]


def whole_effects(
    pipeline: BaseEstimator,
    frame: pd.DataFrame,
    shown: Sequence[Column],
    classes: Sequence[str] | None,
    *,
    label: str | None = None,
    seconds: float = SECONDS,
    seed: int = 0,
) -> WholeEffects | None:
    """What moves the answers to a sample of the rows; None for a classifier without probabilities.

    Args:
        frame: (n, d) canonical held-out rows, which also show what is usual.
        shown: columns of which single rows' effects are kept, beside the means.
        label: the class whose effects are kept row by row; the last one where it is left out.
    """
    if not len(frame) or not frame.shape[1]:
        return None

    def ask(rows: pd.DataFrame) -> Floats:
        answers = predict(pipeline, rows, classes)
        if answers.probabilities is None:
            return np.asarray(answers.values, dtype="float64").reshape(-1, 1)
        return answers.probabilities

    if classes is not None and predict(pipeline, frame.head(1), classes).probabilities is None:
        return None
    order = np.random.default_rng(seed).permutation(len(frame))[:MOST_ROWS]
    sample = frame.iloc[order]
    effects = shapley_values(ask, sample, frame.iloc[np.sort(order)], seconds=seconds, seed=seed)
    return _summed_up(effects, sample.head(len(effects)), shown, classes, label)


def _summed_up(
    effects: Floats,
    sample: pd.DataFrame,
    shown: Sequence[Column],
    classes: Sequence[str] | None,
    label: str | None,
) -> WholeEffects:
    sizes = np.abs(effects).mean(axis=0)  # (d, k)
    means = sizes.mean(axis=1)
    chosen = None if classes is None else (label or classes[-1])
    of = 0 if classes is None or chosen is None else list(classes).index(chosen)
    known = {column.name: column for column in shown}
    features = []
    for rank, place in enumerate(np.argsort(-means, kind="stable")):
        name = str(sample.columns[place])
        points = None
        if rank < SHOWN and name in known:
            points = Points(_rounded(effects[:, place, of]), _levels(sample[name], known[name]))
        each = {} if classes is None or len(classes) < 3 else _by_class(classes, sizes[place])
        features.append(FeatureEffect(name, _short(means[place]), each, points))
    return WholeEffects(len(effects), chosen, features)


def _by_class(classes: Sequence[str], sizes: Floats) -> dict[str, float]:
    pairs = list(zip(classes, sizes, strict=True))[:MOST_CLASSES]
    return {str(label): _short(size) for label, size in pairs}


def _levels(values: "pd.Series", column: Column) -> list[float | None]:
    if column.type not in ORDERED_TYPES:
        return [None] * len(values)
    ranks = values.rank(method="average")
    highest, lowest = ranks.max(), ranks.min()
    span = highest - lowest
    levels = (ranks - lowest) / span if span > 0 else ranks * 0 + 0.5
    places = levels.to_numpy(dtype="float64", na_value=np.nan)
    return [None if np.isnan(level) else round(float(level), 2) for level in places]


def _rounded(values: Floats) -> list[float]:
    return [_short(value) for value in values]


def _short(value: float) -> float:
    return float(f"{value:.4g}")
