"""How long does each algorithm's fit take? ``python benchmarks/costs.py``, for training/automl/costs.py.

Prints for each algorithm seconds of processor time on one core: of a tiny table, of 1,000 rows and 10 inputs,
and the power of the rows that time grows with up to 8,000. Ends with 1 where the table in the code is off by
more than ``BAR`` times for 8,000 rows.
"""

import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from registry.problems import get_problem
from registry.tabular.schema import infer_schema
from training.algorithms import ALGORITHMS
from training.automl.costs import Size, expected_seconds
from training.automl.fitting import fit_pipeline
from training.automl.trials import TrialSpec

BAR = 4.0
INPUTS = 10
SIZES = (100, 1000, 8000)


def seconds(key: str, problem: str, rows: int) -> float:
    """Processor seconds of one fit with the defaults."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(rows, INPUTS)), columns=[f"x{place}" for place in range(INPUTS)])
    signal = frame["x0"] + frame["x1"] ** 2 + rng.normal(size=rows)
    target = signal if problem == "regression" else pd.Series(np.where(signal > 1, "yes", "no"), dtype=object)
    began = time.process_time()
    fit_pipeline(TrialSpec(key), frame, target, infer_schema(frame), get_problem(problem), 0)
    return time.process_time() - began


def main() -> int:
    """Measure and compare."""
    warnings.simplefilter("ignore")
    off = []
    with threadpool_limits(1):
        for key, algorithm in ALGORITHMS.items():
            problem = "classification" if "classification" in algorithm.problems else "regression"
            if problem not in algorithm.problems:
                continue
            seconds(key, problem, SIZES[0])  # loads the library
            tiny, small, large = (seconds(key, problem, rows) for rows in SIZES)
            growth = np.log(max(large - tiny, 1e-4) / max(small - tiny, 1e-4)) / np.log(SIZES[2] / SIZES[1])
            expected = expected_seconds(TrialSpec(key), Size(SIZES[2], INPUTS, 2))
            ratio = large / expected
            off += [key] if not 1 / BAR <= ratio <= BAR else []
            told = f"{tiny:8.3f} {small - tiny:8.4f} {growth:6.2f}   8,000 rows: {large:8.2f} s"
            print(f"{key:30} {told}, {ratio:.2f} x expected")
    print(f"Off by more than {BAR:g} times: {', '.join(off) or 'none'}")
    return 1 if off else 0


if __name__ == "__main__":
    sys.exit(main())
