"""One thread for each numerical library, chosen before any of them is loaded.

The workers of a parallel run share out the processors by themselves: threads beyond that wait for each other,
and burn the processors' time while they do.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
    os.environ.setdefault(name, "1")
