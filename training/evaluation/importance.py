"""Which columns a model's accuracy rests on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.inference.native import predict
from registry.problems import Predictions, ProblemType

MAX_ROWS = 2000


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
    for name in frame.columns:
        parts = _answers_without(name, pipeline, frame, classes, repeats, rng)
        losses = [whole - problem.reliance(truth, unchanged, part) for part in parts]
        ranked.append({"feature": str(name), "mean": float(np.mean(losses)), "std": float(np.std(losses))})
    return sorted(ranked, key=lambda item: (-float(str(item["mean"])), str(item["feature"])))


def _answers_without(
    name: str,
    pipeline: Any,
    frame: pd.DataFrame,
    classes: Sequence[str] | None,
    repeats: int,
    rng: np.random.Generator,
) -> list[Predictions]:
    """The answers with one column shuffled, once for each repeat."""
    # All repeats in one question: on few rows asking takes longer than answering.
    shuffled = pd.concat([_shuffled(frame, name, rng) for _ in range(repeats)], ignore_index=True)
    answers, rows = predict(pipeline, shuffled, classes), np.arange(len(frame))
    return [answers.take(rows + repeat * len(frame)) for repeat in range(repeats)]


def _shuffled(frame: pd.DataFrame, name: str, rng: np.random.Generator) -> pd.DataFrame:
    order = rng.permutation(len(frame))
    return frame.assign(**{name: frame[name].take(order).set_axis(frame.index)})
