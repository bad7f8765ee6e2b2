"""NannyML's univariate drift of two frames: ``python drift_nannyml.py REFERENCE CURRENT ROUNDS``.

Kolmogorov-Smirnov and Jensen-Shannon for numbers, chi-square and Jensen-Shannon for categories; the current
rows are one chunk. Prints as ``drift_evidently.py`` does.
"""

import json
import os
import resource
import sys
import time
import warnings

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"

import nannyml
import pandas as pd

warnings.filterwarnings("ignore")
reference, current = pd.read_parquet(sys.argv[1]), pd.read_parquet(sys.argv[2])


def check(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Fit on one frame and calculate on the other."""
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=list(before.columns),
        continuous_methods=["kolmogorov_smirnov", "jensen_shannon"],
        categorical_methods=["chi2", "jensen_shannon"],
        chunk_number=1,
    )
    calculator.fit(before)
    return calculator.calculate(after).to_df()


check(reference[:1000], current[:1000])
seconds = []
for _ in range(int(sys.argv[3])):
    began = time.perf_counter()
    told = check(reference, current)
    seconds.append(time.perf_counter() - began)
assert len(told)
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"seconds": seconds, "megabytes": memory / 1024}))
