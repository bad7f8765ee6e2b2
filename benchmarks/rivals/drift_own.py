"""The platform's drift of two frames: ``python drift_own.py REFERENCE CURRENT ROUNDS [exact | bins]``.

``exact`` compares the rows; ``bins`` counts the current rows on the bins that the reference's profile has
already, and compares the counts. Prints as ``drift_evidently.py`` does.
"""

import json
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import pandas as pd

from monitoring.statistics.comparing import compare_counts, compare_frames
from registry.tabular.histograms import category_histogram, count_on, numeric_histogram

reference, current = pd.read_parquet(sys.argv[1]), pd.read_parquet(sys.argv[2])
how = sys.argv[4]
numbers = {str(name) for name in reference.select_dtypes("number")}
profile = {
    str(name): numeric_histogram(reference[name]) if name in numbers else category_histogram(reference[name])
    for name in reference
}


def check() -> int:
    """Compare every column; return how many were."""
    if how == "exact":
        return len(compare_frames(reference, current))
    counted = {name: count_on(profile[name], current[name]) for name in profile}
    return len([compare_counts(profile[name], counted[name]) for name in profile])


check()
seconds = []
for _ in range(int(sys.argv[3])):
    began = time.perf_counter()
    assert check() == len(profile)
    seconds.append(time.perf_counter() - began)
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"seconds": seconds, "megabytes": memory / 1024}))
