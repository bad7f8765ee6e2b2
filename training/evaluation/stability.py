"""Does a model that learns without answers come out the same from other rows of the same kind?"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

from registry.inference.unsupervised import is_clustering, is_detector
from registry.problems import ProblemType
from registry.problems.anomaly import same_order

Floats = npt.NDArray[np.float64]

REFITS = 5
CLUSTERED_ROWS = 1000
HALF_ROWS = 5000


def steadiness(
    pipeline: Any, learnt: pd.DataFrame, other: pd.DataFrame, problem: ProblemType, seed: int
) -> dict[str, float]:
    """``rank_stability`` of a detector, ``stability`` of a clustering, nothing of any other pipeline.

    Args:
        pipeline: fitted on ``learnt``.
        learnt, other: canonical features; the rows it learnt from, and rows that it did not.
    """
    if problem.needs_target or not len(other):
        return {}
    seen, unseen = (np.asarray(pipeline[:-1].transform(rows)) for rows in (learnt, other))
    if is_detector(pipeline):
        return {"rank_stability": rank_stability(pipeline[-1], seen, unseen, seed)}
    if is_clustering(pipeline):
        return {"stability": cluster_stability(pipeline[-1], seen, seed)}
    return {}


def rank_stability(detector: Any, seen: Floats, unseen: Floats, seed: int) -> float:
    """How alike two detectors order the unseen rows, each learnt from another half of the seen ones.

    Spearman's correlation, 1 for the same order (after Perini, Galvin and Vercruyssen 2020, "A ranking
    stability measure for quantifying the robustness of anomaly detection methods"). Halves have at most
    5,000 rows.

    Args:
        detector: with ``fit`` and ``anomaly_scores``; refitted as a clone. seen: (n, d). unseen: (m, d).
    """
    rows = np.random.default_rng(seed).permutation(len(seen))
    size = min(len(rows) // 2, HALF_ROWS)
    if size < 2:
        return 0.0
    halves = np.sort(rows[:size]), np.sort(rows[size : 2 * size])
    first, second = (clone(detector).fit(seen[half]).anomaly_scores(unseen) for half in halves)
    return same_order(first, second)


def cluster_stability(clustering: Any, seen: Floats, seed: int) -> float:
    """The mean adjusted Rand index of the fitted clustering and refits on bootstrap samples (Hennig 2007).

    All are asked for the same rows, at most 1,000; 1 for the same groups each time, 0 for chance.

    Args:
        clustering: fitted, with ``fit`` and ``predict``; refitted as clones. seen: (n, d).
    """
    rng = np.random.default_rng(seed)
    rows = seen[np.sort(rng.permutation(len(seen))[:CLUSTERED_ROWS])]
    groups = clustering.predict(rows)
    drawn = (rows[rng.integers(0, len(rows), len(rows))] for _ in range(REFITS))
    return float(
        np.mean([adjusted_rand_score(groups, clone(clustering).fit(draw).predict(rows)) for draw in drawn])
    )
