"""Frames of 20 features that monitoring is tried on."""

from functools import partial

import numpy as np
import pandas as pd

NUMBERS, CATEGORIES = 16, 4


def moved_pair(rows: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return two frames of 16 numbers of different shapes and 4 categories; a quarter has moved."""
    rng = np.random.default_rng(0)
    return _made(rng, rows, 0), _made(rng, rows, 0.1)


def labelled_frame(rows: int) -> pd.DataFrame:
    """Return such a frame with a target ``diagnosis`` that some of its columns tell."""
    rng = np.random.default_rng(1)
    frame = _made(rng, rows, 0)
    odds = frame["x0"] + 0.5 * frame["x4"] + (frame["kind0"] == "h")
    chance = 1 / (1 + np.exp(-odds))
    return frame.assign(diagnosis=np.where(rng.uniform(size=rows) < chance, "malignant", "benign"))


def _made(rng: np.random.Generator, rows: int, moved: float) -> pd.DataFrame:
    kinds = (rng.normal, rng.exponential, rng.lognormal, partial(rng.standard_t, 5))
    columns: dict[str, object] = {}
    for place in range(NUMBERS):
        values = kinds[place % 4](size=rows)
        columns[f"x{place}"] = values + (moved if place % 4 == 0 else 0)
    for place in range(CATEGORIES):
        chances = np.arange(1, 9) + (10 * moved if place == 0 else 0) * np.arange(8)[::-1]
        columns[f"kind{place}"] = rng.choice(list("abcdefgh"), size=rows, p=chances / chances.sum())
    return pd.DataFrame(columns)
