"""Which columns a model's accuracy rests on."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.inference.native import predict
from registry.problems import Predictions, ProblemType

MAX_ROWS = 2000
ROWS_AT_ONCE = 20_000  # that are asked in one go: on few rows asking takes longer than answering


def permutation_importance(
    pipeline: Any,
    frame: pd.DataFrame,
    y_true: Sequence[Any] | npt.NDArray[Any],
    problem: ProblemType,
    classes: Sequence[str] | None = None,
    *,
    repeats: int = 5,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """How much worse the primary metric gets when one column is shuffled (Breiman 2001), the largest first.

    Where no truth is known: how much of the agreement with the model's own answers is lost (see
    ``ProblemType.reliance``).

    Args:
        pipeline: a fitted pipeline.
        frame: hold-out rows, canonical; of more than 2,000 rows a random 2,000 are used.

    Returns:
        ``[{"feature", "mean", "std"}]``, positive where the column helps, in the primary metric's unit.
    """
    rng = np.random.default_rng(seed)
    truth = np.asarray(y_true)
    if len(frame) > MAX_ROWS:
        rows = rng.choice(len(frame), MAX_ROWS, replace=False)
        frame, truth = frame.iloc[rows], truth[rows]

    unchanged = predict(pipeline, frame, classes)
    whole = problem.reliance(truth, unchanged, unchanged)
    ranked = []
    at_once = max(1, ROWS_AT_ONCE // max(1, len(frame) * repeats))
    for start in range(0, frame.shape[1], at_once):
        names = list(frame.columns[start : start + at_once])
        answers = predict(pipeline, _without_each(names, frame, repeats, rng), classes)
        for name, parts in zip(names, _parts_of(answers, len(frame), repeats), strict=True):
            losses = [whole - problem.reliance(truth, unchanged, part) for part in parts]
            ranked.append(
                {"feature": str(name), "mean": float(np.mean(losses)), "std": float(np.std(losses))}
            )
    return sorted(ranked, key=lambda item: (-float(str(item["mean"])), str(item["feature"])))


def _without_each(
    names: Sequence[Any], frame: pd.DataFrame, repeats: int, rng: np.random.Generator
) -> pd.DataFrame:
    """The rows again and again: with the first column shuffled, once for each repeat, then with the next."""
    n = len(frame)
    as_they_are = np.tile(np.arange(n), len(names) * repeats)
    orders = {name: as_they_are.copy() for name in names}
    for place, name in enumerate(names):
        for start in range(place * repeats * n, (place + 1) * repeats * n, n):
            orders[name][start : start + n] = rng.permutation(n)
    index = pd.RangeIndex(len(as_they_are))
    taken = {name: frame[name].take(orders.get(name, as_they_are)).set_axis(index) for name in frame.columns}
    return pd.DataFrame(taken)


def _parts_of(answers: Predictions, rows: int, repeats: int) -> Iterator[list[Predictions]]:
    """Yield the answers without one column after the other, each a list of the repeats."""
    for start in range(0, len(answers.values), rows * repeats):
        yield [answers.take(np.arange(rows) + start + repeat * rows) for repeat in range(repeats)]
