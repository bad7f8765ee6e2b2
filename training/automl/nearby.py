"""What to try next: near what was good."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.algorithms.space import Choices, Range
from training.automl.study import Candidate, Past, propose_random
from training.automl.trials import TrialSpec

BY_LOT = 0.15
CHANGED = 0.6
STEP = 0.15  # of a range, on its own scale
PARENTS = 4


def propose_near(candidates: Sequence[Candidate], past: Sequence[Past], seed: int) -> TrialSpec:
    """A change of one of the best trials, mostly of the algorithms that did well; now and then one by lot.

    Each algorithm's turn follows from the rank of its best trial, so that a close second is not forgotten: an
    ensemble lives on unlike members.
    """
    rng = np.random.default_rng([seed, len(past)])
    complete = [trial for trial in past if trial.value is not None]
    best: dict[str, float] = {}
    for trial in complete:
        best[trial.algorithm] = max(best.get(trial.algorithm, -np.inf), trial.value or 0.0)
    known = {one.algorithm: one for one in candidates}
    order = sorted((key for key in best if key in known), key=lambda key: -best[key])
    if not order or rng.uniform() < BY_LOT:
        return propose_random(candidates, past, seed).spec
    turns = 0.6 ** np.arange(len(order))
    chosen = order[int(rng.choice(len(order), p=turns / turns.sum()))]
    alike = sorted((one for one in complete if one.algorithm == chosen), key=lambda one: -(one.value or 0.0))
    parent = alike[min(int(rng.geometric(0.5)) - 1, len(alike) - 1, PARENTS - 1)]
    return known[chosen].spec(_changed(known[chosen], parent, rng))


def _changed(candidate: Candidate, parent: Past, rng: np.random.Generator) -> dict[str, Any]:
    space = candidate.space()
    kept = {name: value for name, value in parent.drawn.items() if value is not None}
    drawn = dict(kept)
    for name, tried in space.items():
        if rng.uniform() < CHANGED:
            drawn[name] = _moved(tried, kept.get(name), rng)
    return drawn


def _moved(tried: Range | Choices, value: Any, rng: np.random.Generator) -> Any:
    if isinstance(tried, Choices):
        return (
            tried.values[int(rng.integers(len(tried.values)))] if rng.uniform() < 0.4 else _or(value, tried)
        )
    low, high = (np.log(tried.low), np.log(tried.high)) if tried.log else (tried.low, tried.high)
    if isinstance(value, int | float) and tried.low <= value <= tried.high:
        at = float(np.log(value) if tried.log else value) + rng.normal(0, STEP) * (high - low)
    else:
        at = float(rng.uniform(low, high))
    at = float(np.clip(at, low, high))
    moved = min(max(float(np.exp(at)) if tried.log else at, tried.low), tried.high)
    return round(moved) if tried.whole else float(f"{moved:.4g}")


def _or(value: Any, tried: Choices) -> Any:
    return tried.values[0] if value is None else value
