"""Shapley values, by asking the model alone.

The value of a column for a row is what changes, on average over all orders, when the column takes the row's
value while those before it have done so and those after it still have another row's (Shapley 1953; for models
Štrumbelj and Kononenko 2014; the same quantity as SHAP's with an interventional background, Lundberg and Lee
2017). Orders are drawn, each walked both ways (antithetic pairs: Mitchell, Cooper, Frank and Holmes 2022);
all questions of a block of rows are asked in one go.
"""

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Answers = Callable[[pd.DataFrame], Floats]

MOST_ROWS, LEAST_ROWS, SECONDS = 300, 10, 0.6
ORDERS, ASKED_AT_ONCE = 4, 8000


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
