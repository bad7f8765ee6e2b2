"""Evidence on bounded means: its value, its false alarms, its power."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from monitoring.statistics.bounded_means import log_evidence, lower_bound


@pytest.mark.parametrize(
    ("total", "count", "limit"), [(3, 10, 0.2), (8.5, 12, 0.5), (0, 5, 0.1), (40, 60, 0.3)]
)
def test_it_is_the_mixture_of_the_likelihood_ratios_above_the_limit(
    total: float, count: int, limit: float
) -> None:
    def ratio(mean: float) -> float:
        return float((mean / limit) ** total * ((1 - mean) / (1 - limit)) ** (count - total))

    mixed = quad(ratio, limit, 1, epsrel=1e-10)[0] / (1 - limit)
    assert math.exp(log_evidence(total, count, limit)) == pytest.approx(mixed, rel=1e-7)


@pytest.mark.parametrize("dependent", [False, True])
def test_false_alarms_stay_below_the_stated_rate_however_often_one_looks(dependent: bool) -> None:
    rng = np.random.default_rng(0)
    alpha, limit, runs, length = 0.1, 0.2, 400, 300
    alarms = 0
    for _ in range(runs):
        seen = (rng.random(length) < limit).astype(float)
        if dependent:  # bounded, of other sizes, and leaning on what came before: never above the limit
            seen = np.where(np.roll(seen, 1) > 0, rng.random(length) * 2 * limit, rng.beta(1, 4, length))
        sums = np.cumsum(seen)
        looks = (log_evidence(sums[n - 1], n, limit) for n in range(1, length + 1, 3))
        alarms += any(value >= math.log(1 / alpha) for value in looks)
    assert alarms / runs <= alpha + 0.03


def test_what_is_worse_is_found() -> None:
    rng = np.random.default_rng(1)
    sums = np.cumsum(rng.random(400) < 0.35)
    found = next(n for n in range(1, 401) if log_evidence(sums[n - 1], n, 0.2) >= math.log(100))
    assert found < 200
    assert 0.2 < lower_bound(float(sums[-1]), 400, alpha=0.01) < 0.35


def test_nothing_seen_is_no_evidence_and_what_cannot_be_is_refused() -> None:
    assert (log_evidence(0, 0, 0.1), lower_bound(0, 0, alpha=0.1)) == (0.0, 0.0)
    assert log_evidence(0, 10_000, 0.5) < -100
    for total, count, limit in ((1, 2, 0.0), (1, 2, 1.0), (3, 2, 0.5), (-1, 2, 0.5)):
        with pytest.raises(ValueError, match="between 0 and"):
            log_evidence(total, count, limit)
