"""How long a fit takes, about: before any was made from a table, then from those that were.

The table is rounded from what ``benchmarks/costs.py`` measures on one core; a race corrects it by its fits.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.automl.trials import TrialSpec

REFERENCE_ROWS, REFERENCE_INPUTS = 1000, 10


@dataclass(frozen=True)
class Size:
    """What a fit's time hangs on: rows, input columns, and classes (1 for a number)."""

    rows: int
    inputs: int
    classes: int = 1


@dataclass(frozen=True)
class Cost:
    """Seconds on 1,000 rows and 10 inputs beyond ``fixed`` ones, how they grow with the rows, and with what.

    ``rounds`` names the parameter that they are proportional to, with its value in the measurement.
    ``by_class`` says that each further class costs as much again. ``work`` says of parameters and inputs how
    many times the measurement's work a row is, where that is more than in proportion to the inputs.
    """

    fixed: float
    seconds: float
    growth: float = 1.0
    rounds: tuple[str, int] | None = None
    by_class: bool = False
    work: Callable[[Mapping[str, Any], int], float] | None = None


def network_work(params: Mapping[str, Any], inputs: int) -> float:
    """What a row costs a network, in multiples of two layers of 64 neurons and 10 inputs.

    Six tenths of that are the same for all, the rest grows with the weights: ten times the neurons are far
    more than ten times the work.
    """
    units, layers = float(params.get("units", 64)), int(params.get("layers", 2))
    weights = inputs * units + (layers - 1) * units**2
    return 0.6 + 0.4 * weights / (10 * 64 + 64**2)


COSTS: Mapping[str, Cost] = {
    "logistic_regression": Cost(0.02, 0.003),
    "ridge": Cost(0.01, 0.001),
    "lasso": Cost(0.015, 0.001),
    "elastic_net": Cost(0.015, 0.001),
    "linear_regression": Cost(0.015, 0.001),
    "random_forest": Cost(0.2, 0.3, 1.2, ("n_estimators", 200)),
    "extra_trees": Cost(0.15, 0.11, 1.15, ("n_estimators", 200)),
    "hist_gradient_boosting": Cost(0.03, 0.1, 0.5, ("max_iter", 100), by_class=True),
    "gradient_boosting": Cost(0.05, 0.22, 1.06, ("n_estimators", 100), by_class=True),
    "lightgbm": Cost(0.03, 0.1, 0.5, ("n_estimators", 200), by_class=True),
    "xgboost": Cost(0.04, 0.12, 0.5, ("n_estimators", 200), by_class=True),
    "decision_tree": Cost(0.01, 0.004, 1.2),
    "svm": Cost(0.02, 0.04, 1.95),
    "knn": Cost(0.01, 0.003),
    "naive_bayes": Cost(0.01, 0.002),
    "sgd": Cost(0.01, 0.008, 0.9),
    "mlp": Cost(0.13, 0.95, work=network_work),
    "reference_logistic_regression": Cost(0.01, 0.001, 1.1),
    "reference_decision_tree": Cost(0.01, 0.02, 0.9),
    "dummy": Cost(0.01, 0.0),
}
UNKNOWN = Cost(0.05, 0.2)


def expected_seconds(spec: TrialSpec, size: Size) -> float:
    """Seconds of one fit on one core, from the table alone."""
    cost = COSTS.get(spec.algorithm, UNKNOWN)
    inputs = max(size.inputs, 3)
    of_row = inputs / REFERENCE_INPUTS if cost.work is None else cost.work(spec.params, inputs)
    work: float = (size.rows / REFERENCE_ROWS) ** cost.growth * of_row
    if cost.rounds is not None:
        name, usual = cost.rounds
        work *= float(spec.params.get(name, usual)) / usual
    if cost.by_class and size.classes > 2:
        work *= size.classes
    return cost.fixed + cost.seconds * work


def learnt_seconds(spec: TrialSpec, size: Size, measured: Sequence[tuple[TrialSpec, Size, float]]) -> float:
    """Seconds of one fit, corrected by how far the table was off for fits that were made.

    Args:
        measured: spec, size and seconds of earlier fits, on this machine and this data.
    """
    alike = [one for one in measured if one[0].algorithm == spec.algorithm] or measured
    ratios = [seconds / expected_seconds(made, of) for made, of, seconds in alike[-5:]]
    return expected_seconds(spec, size) * (float(np.median(ratios)) if ratios else 1.0)
