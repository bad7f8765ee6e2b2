"""Answers as columns of a table."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from registry.errors import CannotPredict
from registry.inference.conformal import Conformal, class_sets, intervals
from registry.problems.base import Predictions
from training.batching.taken import Flags

Floats = npt.NDArray[np.float64]
PREDICTION, EFFECT = "prediction", "effect"


@dataclass(frozen=True)
class Reasons:
    """The columns that move an answer most, the strongest first: (n, r) names with values, (n, r) effects."""

    words: list[list[str]]
    effects: Floats


def answer_columns(
    answers: Predictions,
    *,
    labelled: bool,
    score: str | None,
    probabilities: bool,
    bounds: Conformal | None = None,
    reasons: Reasons | None = None,
) -> dict[str, pa.Array]:
    """Return n answers as columns: ``prediction``, then what is known of each.

    ``score`` names the number beside a label where there is one. Probabilities are ``p_<class>``. ``bounds``
    add ``interval_low`` and ``interval_high``, or ``possible``: the classes not ruled out as a JSON list.
    ``reasons`` add ``reason_1``, ``reason_1_effect`` and so on. Raises CannotPredict where a number is not
    finite.
    """
    if labelled:
        columns: dict[str, pa.Array] = {PREDICTION: pa.array(answers.values, pa.string())}
    else:
        columns = {PREDICTION: _numbers(answers.values)}
    if score is not None and answers.scores is not None:
        columns[score] = _numbers(answers.scores)
    shares = answers.probabilities
    if shares is not None and probabilities:
        for place, label in enumerate(answers.classes or []):
            columns[f"p_{label}"] = _numbers(shares[:, place])
    if bounds is not None:
        columns |= _bounds(answers, bounds)
    if reasons is not None:
        columns |= _reasons(reasons)
    return columns


def with_gaps(columns: dict[str, pa.Array], fits: Flags) -> dict[str, pa.Array]:
    """Return the columns for all rows: missing where a row did not fit, and so was not asked."""
    if fits.all():
        return columns
    places = np.where(fits, np.cumsum(fits) - 1, -1)
    taken = pa.array(places, pa.int64(), mask=~fits)
    return {name: values.take(taken) for name, values in columns.items()}


def joined_answers(some: Sequence[dict[str, pa.Array]]) -> dict[str, pa.Array]:
    """Return the answers to several runs of rows as those to all."""
    if len(some) == 1:
        return some[0]
    return {name: pa.concat_arrays([one[name] for one in some]) for name in some[0]}


def _numbers(values: Any) -> pa.Array:
    floats = np.ascontiguousarray(values, dtype="float64")
    if not np.isfinite(floats).all():
        raise CannotPredict(
            "The model answered with a number that is not finite. Roll back to an earlier version."
        )
    return pa.array(floats)


def _bounds(answers: Predictions, learnt: Conformal) -> dict[str, pa.Array]:
    if answers.probabilities is None:
        low, high = intervals(np.asarray(answers.values, dtype="float64"), learnt)
        return {"interval_low": _numbers(low), "interval_high": _numbers(high)}
    sets = class_sets(answers.probabilities, answers.classes or [], learnt)
    return {"possible": pa.array([json.dumps(labels, ensure_ascii=False) for labels in sets], pa.string())}


def _reasons(reasons: Reasons) -> dict[str, pa.Array]:
    columns: dict[str, pa.Array] = {}
    for place in range(reasons.effects.shape[1]):
        name = f"reason_{place + 1}"
        columns[name] = pa.array([row[place] for row in reasons.words], pa.string())
        columns[f"{name}_{EFFECT}"] = _numbers(reasons.effects[:, place])
    return columns
