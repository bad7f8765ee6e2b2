"""Evidently's default drift preset on two frames: ``python drift_evidently.py REFERENCE CURRENT ROUNDS``.

Prints the seconds of each round after one to warm up, and the peak memory, as JSON.
"""

import json
import resource
import sys
import time
import warnings

import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset

warnings.filterwarnings("ignore")
reference, current = pd.read_parquet(sys.argv[1]), pd.read_parquet(sys.argv[2])
Report([DataDriftPreset()]).run(current[:1000], reference[:1000])
seconds = []
for _ in range(int(sys.argv[3])):
    began = time.perf_counter()
    told = Report([DataDriftPreset()]).run(current, reference).dict()
    seconds.append(time.perf_counter() - began)
assert told["metrics"]
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"seconds": seconds, "megabytes": memory / 1024}))
