"""From how many rows on the original is faster than its twin in ONNX: ``python -m benchmarks.twins``.

Either is asked as a request asks it, from rows as they were sent to answers.
"""

import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from registry.inference.native import predict
from registry.inference.schema import rows_frame
from registry.inference.twins import open_twin
from registry.problems import get_problem
from registry.tabular.schema import Column, ColumnType
from training.automl import TrialSpec, fit_pipeline
from training.twins import make_twin

COLUMNS = [Column(f"x{place}", ColumnType.numeric, nullable=False) for place in range(30)]
ALGORITHMS = ("logistic_regression", "random_forest", "hist_gradient_boosting", "svm", "mlp")
SIZES = (1, 10, 50, 100, 200, 500, 1000)
ROUNDS = 5


def main() -> None:
    """Print microseconds of a request for each algorithm and number of rows: original, twin, ratio."""
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({column.name: rng.normal(size=2000) for column in COLUMNS})
    labels = (frame["x0"] + frame["x1"] * frame["x2"] > 0).map({True: "yes", False: "no"}).astype(object)
    rows: list[dict[str, Any]] = [
        {str(name): value for name, value in row.items()} for row in frame.to_dict("records")
    ]
    for key in ALGORITHMS:
        compare(key, frame, labels, rows)


def compare(key: str, frame: pd.DataFrame, labels: "pd.Series[Any]", rows: list[dict[str, Any]]) -> None:
    """Fit one algorithm, make its twin, and print a line for each size of a request."""
    params = {"n_estimators": 100} if key == "random_forest" else {}
    model = fit_pipeline(TrialSpec(key, params), frame, labels, COLUMNS, get_problem("classification"), 0)
    classes = [str(label) for label in model.classes_]
    twin = open_twin(make_twin(model, classes))

    def original(some: list[dict[str, Any]]) -> object:
        return predict(model, rows_frame(some, COLUMNS), classes)

    for size in SIZES:
        before, after = (_microseconds(partial(ask, rows[:size])) for ask in (original, twin.predict))
        print(f"{key:24}{size:6} rows{before:12,.0f}{after:12,.0f}{before / after:8.1f} x", flush=True)


def _microseconds(work: Callable[[], object]) -> float:
    work()
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1e6


if __name__ == "__main__":
    main()
