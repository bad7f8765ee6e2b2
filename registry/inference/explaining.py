"""Why a model answered a row as it did: how much each value pushed the answer up or down.

Two methods, both of which only ask the model: Shapley values (Lundberg and Lee 2017; of one row by the
``shap`` package where that is installed, of many by drawn orders) where the columns are not too many, else a
local surrogate (LIME: Ribeiro, Singh and Guestrin 2016).
"""

import os
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import Ridge

from registry.inference.reasons import Contribution, Explanation
from registry.inference.shapley import ORDERS, mixed, shapley_values

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Ask = Callable[[pd.DataFrame], Floats]

# SHAP has its loops compiled when they are first called, seven seconds in each process; for as few columns as
# are explained here they are just as fast without. Read when numba is imported, which SHAP does.
os.environ.setdefault("NUMBA_DISABLE_JIT", "1")

BACKGROUND, SAMPLES, USUAL_ROWS = 50, 300, 20
MOST_SHAP_COLUMNS = 60
KERNEL_WIDTH = 0.75  # LIME's own: this times the root of the number of columns
PENALTY = 1e-3
MOST_ORDERS, MOST_SHAPLEY_COLUMNS = 25, 200
# Questions to the model: so many make several rows' values sharp, and so many are the most for one request.
ASKED, MOST_ASKED, MOST_EXPLAINED = 8_000, 100_000, 100


def shap_fits(columns: int) -> bool:
    """Whether Shapley values can be computed here for so many columns."""
    return columns <= MOST_SHAP_COLUMNS and find_spec("shap") is not None


def explain_row(
    ask: Ask, row: pd.DataFrame, background: pd.DataFrame, *, method: str | None = None, seed: int = 0
) -> Explanation:
    """Explain the answer for one row against what is usual.

    Args:
        ask: gives the (n,) answers of n canonical rows: a probability or a number.
        row: one canonical row. background: rows that show what is usual, of which 50 are used.
        method: ``shap`` or ``surrogate``; the better one that fits where it is left out.
    """
    chosen = method or ("shap" if shap_fits(row.shape[1]) else "surrogate")
    table = _Table(pd.concat([_sample(background, seed), row], ignore_index=True), ask)
    return (_shapley if chosen == "shap" else _surrogate)(table, seed)


def most_explained(columns: int) -> int:
    """Return how many rows of so many columns may be explained in one request."""
    each = 2 * ORDERS * (columns + 1) if columns <= MOST_SHAPLEY_COLUMNS else SAMPLES * USUAL_ROWS
    return min(MOST_EXPLAINED, max(1, MOST_ASKED // each))


def explain_rows(
    ask: Ask, rows: pd.DataFrame, background: pd.DataFrame, places: Sequence[int], *, seed: int = 0
) -> list[Explanation]:
    """Explain the answers for several rows, all asked in a few goes.

    Args:
        ask: gives (n, k) answers of n canonical rows.
        rows: (m, d) canonical rows; ``most_explained`` says how many are not too many.
        background: rows that show what is usual, of which 50 are used.
        places: which of the k answers is explained, for each of the m rows.
    """
    usual, d = _sample(background, seed), rows.shape[1]
    if d > MOST_SHAPLEY_COLUMNS:
        return [
            explain_row(_one(ask, place), rows.iloc[[row]], usual, method="surrogate", seed=seed)
            for row, place in enumerate(places)
        ]
    orders = min(MOST_ORDERS, max(ORDERS, ASKED // (2 * (d + 1) * len(rows))))
    effects = shapley_values(ask, rows, usual, orders=orders, least=len(rows), seed=seed)
    answers, names = ask(rows), [str(name) for name in rows.columns]
    found = []
    for row, place in enumerate(places):
        mine, answer = effects[row, :, place], float(answers[row, place])
        found.append(
            Explanation("shapley", answer - float(mine.sum()), answer, _ranked(names, mine.tolist()))
        )
    return found


def _one(ask: Ask, place: int) -> Ask:
    return lambda frame: ask(frame)[:, place]


class MeanEffects(msgspec.Struct, frozen=True):
    """The mean size of each column's effect over so many rows, the largest first."""

    rows: int
    contributions: list[Contribution]


def mean_effects(
    ask: Ask, rows: pd.DataFrame, background: pd.DataFrame, *, seconds: float, seed: int = 0
) -> MeanEffects:
    """What matters everywhere: Shapley values of as many of the rows as fit into the seconds."""
    effects = shapley_values(
        lambda frame: ask(frame).reshape(-1, 1), rows, background, seconds=seconds, seed=seed
    )
    sizes = np.abs(effects[:, :, 0]).mean(axis=0)
    return MeanEffects(len(effects), _ranked([str(name) for name in rows.columns], sizes.tolist()))


class _Table:
    """The background's rows with the explained one last; rows to ask are mixed of them column by column."""

    def __init__(self, frame: pd.DataFrame, ask: Ask) -> None:
        self.frame, self.ask = frame, ask
        self.names = [str(name) for name in frame.columns]
        self.row = len(frame) - 1

    def answers(self, codes: Codes) -> Floats:
        """The (n,) answers where column j of row i has the value of the table's row ``codes[i, j]``."""
        return self.ask(mixed(self.frame, codes))

    def kept(self, keep: npt.NDArray[np.bool_], others: Codes) -> Codes:
        """Codes (n, d) of rows that keep the explained row's value where ``keep`` is true."""
        return np.where(keep, self.row, others)


def _shapley(table: _Table, seed: int) -> Explanation:
    import shap  # an extra that takes seconds to load

    d, usual = len(table.names), table.row
    background = np.repeat(np.arange(usual)[:, None], d, axis=1)
    explainer = shap.explainers.Permutation(
        lambda codes: table.answers(np.asarray(codes).astype("int64")),
        shap.maskers.Independent(background, max_samples=usual),
        seed=seed,
    )
    found = explainer(np.full((1, d), table.row), max_evals=10 * (2 * d + 1), silent=True)
    effects = np.asarray(found.values[0], dtype="float64")
    answer = float(table.answers(np.full((1, d), table.row))[0])
    return Explanation("shap", answer - float(effects.sum()), answer, _ranked(table.names, effects.tolist()))


def _surrogate(table: _Table, seed: int) -> Explanation:
    """A weighted linear model of which values are kept, fitted on mixtures of the row and usual ones.

    Each mixture keeps a random number of the row's values; its answer is the mean over 20 usual rows that
    give the rest. The more it keeps, the more it counts.
    """
    rng, d = np.random.default_rng(seed), len(table.names)
    keep = rng.random((SAMPLES, d)) < rng.random((SAMPLES, 1))
    keep[0], keep[1] = True, False
    usual = rng.permutation(table.row)[:USUAL_ROWS]
    others = np.repeat(np.tile(usual, SAMPLES)[:, None], d, axis=1)
    asked = table.kept(np.repeat(keep, len(usual), axis=0), others)
    answers = table.answers(asked).reshape(SAMPLES, len(usual)).mean(axis=1)
    distance = np.sqrt(1 - keep.mean(axis=1))
    weights = np.exp(-((distance / KERNEL_WIDTH) ** 2))
    line = Ridge(alpha=PENALTY).fit(keep.astype("float64"), answers, sample_weight=weights)
    effects = np.asarray(line.coef_, dtype="float64")
    answer = float(answers[0])
    return Explanation(
        "surrogate",
        float(line.intercept_),
        answer,
        _ranked(table.names, effects.tolist()),
        fidelity=float(max(line.score(keep.astype("float64"), answers, sample_weight=weights), 0.0)),
    )


def _sample(background: pd.DataFrame, seed: int) -> pd.DataFrame:
    rows = np.random.default_rng(seed).permutation(len(background))[:BACKGROUND]
    return background.iloc[np.sort(rows)]


def _ranked(names: Sequence[str], effects: Sequence[float]) -> list[Contribution]:
    pairs: list[tuple[str, Any]] = sorted(
        zip(names, effects, strict=True), key=lambda pair: (-abs(pair[1]), pair[0])
    )
    return [Contribution(name, float(effect)) for name, effect in pairs]
