"""Where an automatic search begins: what was good on measured tables, those most like the new one first.

In the manner of auto-sklearn 2.0 (Feurer et al. 2022): whoever begins with what has been good elsewhere needs
a few trials for what a search from nothing needs hundreds for. ``portfolio.json`` holds how far each of many
configurations fell behind the best on each of many generated tables; ``benchmarks/portfolio.py`` measures it.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from training.automl.likeness import likeness
from training.automl.trials import TrialSpec

RACERS = (
    "lightgbm",
    "hist_gradient_boosting",
    "xgboost",
    "logistic_regression",
    "ridge",
    "elastic_net",
    "extra_trees",
    "random_forest",
    "svm",
    "mlp",
    "knn",
    "naive_bayes",
)
FILE = Path(__file__).with_name("portfolio.json")
LENGTH = 20


class MeasuredTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A generated table's facts, and each configuration's regret: 0 is the best, 1 the median or worse."""

    facts: dict[str, float]
    regret: list[float]


class Measurements(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of one type of problem: the configurations, and the tables on which all of them were measured."""

    configurations: list[TrialSpec]
    tables: list[MeasuredTable]


class Portfolio(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All measurements, and how they were made."""

    made: dict[str, Any]
    problems: dict[str, Measurements]


@cache
def portfolio() -> Portfolio:
    """The measurements that are shipped."""
    return msgspec.json.decode(FILE.read_bytes(), type=Portfolio)


def starting_points(
    problem: str, facts: Mapping[str, float], algorithms: Collection[str], length: int = LENGTH
) -> list[TrialSpec]:
    """What to try first on a table with these facts, the most promising first; empty where none is measured.

    Args:
        problem: key of the problem type. algorithms: those that may be tried.
    """
    measured = portfolio().problems.get(problem)
    if measured is None:
        return []
    places = [
        place for place, spec in enumerate(measured.configurations) if spec.algorithm in set(algorithms)
    ]
    if not places:
        return []
    regret = np.array([table.regret for table in measured.tables])[:, places]
    weights = likeness(facts, [table.facts for table in measured.tables])
    return [measured.configurations[places[one]] for one in greedy(regret, weights, length)]


def greedy(regret: npt.NDArray[np.float64], weights: Sequence[float] | np.ndarray, length: int) -> list[int]:
    """Configurations in the order in which each adds the most: the least mean of every table's best so far.

    Args:
        regret: (tables, configurations). weights: (tables,) how much each table counts.
    """
    share = np.asarray(weights, dtype="float64") / np.sum(weights)
    left = np.ones(len(regret))
    chosen: list[int] = []
    alone = share @ regret
    free = list(range(regret.shape[1]))
    while free and len(chosen) < length:
        together = share @ np.minimum(left[:, None], regret[:, free])
        # Where nothing helps any more, the best alone comes next.
        best = min(range(len(free)), key=lambda place: (round(float(together[place]), 9), alone[free[place]]))
        chosen.append(free.pop(best))
        left = np.minimum(left, regret[:, chosen[-1]])
    return chosen
