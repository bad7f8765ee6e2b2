"""What moves a model's answers on the whole: Shapley values of some hundred rows, by asking the model alone.

The value of a column for a row is what changes, on average over all orders, when the column takes the row's
value while those before it have done so and those after it still have another row's (Shapley 1953; for models
Štrumbelj and Kononenko 2014; the same quantity as SHAP's with an interventional background, Lundberg and Lee
2017). Orders are drawn, each walked both ways (antithetic pairs: Mitchell, Cooper, Frank and Holmes 2022);
all
questions of a block of rows are asked in one go.
"""

import time
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator

from registry.inference.native import predict
from registry.tabular.schema import Column, ColumnType

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Answers = Callable[[pd.DataFrame], Floats]

MOST_ROWS, LEAST_ROWS, SECONDS = 300, 10, 0.6
ORDERS, ASKED_AT_ONCE = 4, 8000
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


def mixed(frame: pd.DataFrame, codes: Codes) -> pd.DataFrame:
    """Return n rows, column j of row i taken from the frame's row ``codes[i, j]``."""
    taken = {
        name: frame[name].take(codes[:, place]).reset_index(drop=True)
        for place, name in enumerate(frame.columns)
    }
    return pd.DataFrame(taken)


def shapley_values(
    ask: Answers,
    rows: pd.DataFrame,
    background: pd.DataFrame,
    *,
    orders: int = ORDERS,
    seconds: float = SECONDS,
    least: int = LEAST_ROWS,
    seed: int = 0,
) -> Floats:
    """The (m, d, k) effects of d columns on k answers for the first m rows, as many as fit into the seconds.

    For each row the effects sum to its answer minus the mean answer of the usual rows that were drawn for it.

    Args:
        ask: gives (n, k) answers of n canonical rows.
        rows: (n, d) rows to explain; ``least`` of them are explained however long it takes.
        background: rows that show what is usual. orders: drawn for each row, and each walked both ways.
    """
    ends = time.perf_counter() + seconds
    rng, d = np.random.default_rng(seed), rows.shape[1]
    table = pd.concat([background, rows], ignore_index=True)
    block = max(1, ASKED_AT_ONCE // (2 * orders * (d + 1)))
    found: list[Floats] = []
    done = 0
    while done < len(rows) and (done < least or time.perf_counter() < ends):
        some = np.arange(done, min(done + block, len(rows))) + len(background)
        found.append(_walked(ask, table, some, len(background), orders, rng))
        done += len(some)
    return np.concatenate(found)


def _walked(
    ask: Answers, table: pd.DataFrame, places: Codes, usual: int, orders: int, rng: np.random.Generator
) -> Floats:
    """Effects (b, d, k) on the table's rows at these (b,) places; its first ``usual`` rows are the others."""
    b, d = len(places), table.shape[1]
    ranks = rng.permuted(np.tile(np.arange(d), (b, orders, 1)), axis=2)
    ranks = np.concatenate([ranks, d - 1 - ranks], axis=1)
    others = np.tile(rng.integers(0, usual, (b, orders)), 2)
    taken = ranks[:, :, None, :] < np.arange(d + 1)[:, None]  # (b, walks, steps, d)
    codes = np.where(taken, places[:, None, None, None], others[:, :, None, None])
    answers = ask(mixed(table, codes.reshape(-1, d))).reshape(b, 2 * orders, d + 1, -1)
    changes = np.diff(answers, axis=2)  # of the column that takes its value at the step
    effects: Floats = np.take_along_axis(changes, ranks[..., None], axis=2).mean(axis=1)
    return effects


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
