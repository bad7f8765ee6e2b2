"""Whether a share of something amiss has changed since the reference."""

import numpy as np
from scipy.stats import norm

ALPHA = 0.01  # for all columns of a report together


def share_grew(hits: int, rows: int, before_hits: int, before_rows: int, *, tests: int = 1) -> bool:
    """Tell whether a share is larger than the reference's beyond chance.

    The pooled test of two proportions, one-sided, with the continuity correction; the false alarms of all
    ``tests`` together are held at 1 % by Bonferroni. False where a side has no rows.
    """
    if not rows or not before_rows or not hits:
        return False
    pooled = (hits + before_hits) / (rows + before_rows)
    spread = float(np.sqrt(pooled * (1 - pooled) * (1 / rows + 1 / before_rows)))
    gap = hits / rows - before_hits / before_rows - (1 / rows + 1 / before_rows) / 2
    if not spread:
        return False
    return bool(norm.sf(gap / spread) < ALPHA / max(1, tests))
