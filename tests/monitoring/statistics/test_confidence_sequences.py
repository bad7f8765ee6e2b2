"""Bounds that hold at every moment: held against the integral behind them, and looked at all the time."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.integrate import quad
from scipy.stats import gamma

from monitoring.statistics.confidence_sequences import (
    boundary,
    difference_bounds,
    log_mixture,
    scattered,
    tuning,
)

Floats = npt.NDArray[np.float64]


def deal(
    rng: np.random.Generator, shares: Floats, theirs: float, ours: float
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Wrong answers with these probabilities, of a champion and a challenger with these shares."""
    taken = rng.random(len(shares)) < shares
    wrong = rng.random(len(shares)) < np.where(taken, ours, theirs)
    return wrong.astype("float64"), taken


@pytest.mark.parametrize(
    ("total", "variance", "scale", "rho"), [(3.0, 4.0, 1.0, 2.0), (30.0, 50.0, 4.0, 9.0)]
)
def test_the_mixture_is_the_integral_that_it_is_said_to_be(
    total: float, variance: float, scale: float, rho: float
) -> None:
    shape = rho / scale**2
    whole = gamma.cdf(shape, shape)  # of the part of the gamma distribution that is mixed over

    def mixed(rate: float) -> float:
        left = 1 - scale * rate
        penalty = (-np.log(left) - scale * rate) / scale**2
        density = gamma.pdf(shape * left, shape) * shape * scale / whole
        return float(np.exp(rate * total - penalty * variance) * density)

    integral, _ = quad(mixed, 0, 1 / scale, epsabs=1e-12)
    found = log_mixture(np.array([total]), np.array([variance]), scale=scale, rho=rho)
    assert np.exp(found[0]) == pytest.approx(integral, rel=1e-6)


def test_the_boundary_is_where_the_mixture_reaches_its_height() -> None:
    variance = np.array([0.0, 1.0, 100.0, 1e6])
    found = boundary(variance, alpha=0.025, scale=20.0, tuned_for=100.0)
    height = log_mixture(found, variance, scale=20.0, rho=tuning(100.0, 0.025))
    assert height == pytest.approx(np.full(4, np.log(40)), rel=1e-6)
    assert (np.diff(found) > 0).all()
    assert found[-1] < 5 * np.sqrt(variance[-1])  # the price of looking always, against 2 for looking once


@pytest.mark.parametrize(
    ("shares", "error"),
    [
        (np.full(800, 0.5), 0.3),
        (np.full(800, 0.05), 0.1),
        (np.repeat([0.05, 0.25, 0.5], [300, 300, 200]), 0.2),  # a ramp
    ],
)
def test_two_equal_versions_are_hardly_ever_told_apart_however_often_one_looks(
    shares: Floats, error: float
) -> None:
    rng, runs, alarms, alpha = np.random.default_rng(7), 250, 0, 0.1
    for _ in range(runs):
        noise, centre = scattered(*deal(rng, shares, error, error), shares)
        sums, variance = np.cumsum(noise + centre), np.cumsum(noise**2)
        highest = [
            log_mixture(np.maximum(side, 0), variance, scale=scale, rho=tuning(200.0, alpha / 2)).max()
            for side, scale in ((sums, 1 / (1 - shares.max())), (-sums, 1 / shares.min()))
        ]
        alarms += max(highest) >= np.log(2 / alpha)
    assert alarms <= runs * alpha  # without the correction for looking it would be every third


def test_looking_at_an_ordinary_interval_all_the_time_would_be_wrong_often() -> None:
    """What the sequences are for: the same runs, judged by the usual 1.64 standard errors after each case."""
    rng, shares, alarms = np.random.default_rng(7), np.full(800, 0.5), 0
    for _ in range(100):
        noise, centre = scattered(*deal(rng, shares, 0.3, 0.3), shares)
        spread = np.sqrt(np.cumsum(noise**2))
        alarms += bool((np.abs(np.cumsum(noise + centre))[50:] > 1.64 * spread[50:]).any())
    assert alarms > 25


def test_a_real_difference_lies_within_the_bounds_all_the_time_and_is_found() -> None:
    rng, shares, left, found = np.random.default_rng(3), np.full(3000, 0.5), 0, 0
    moments = np.arange(50, 3001, 50)
    for _ in range(40):
        errors, taken = deal(rng, shares, 0.30, 0.15)
        bounds = difference_bounds(
            errors,
            taken,
            shares,
            least_share=0.5,
            most_share=0.5,
            alpha=0.05,
            tuned_for=200.0,
            moments=moments,
        )
        left += bool(((bounds.low > -0.15) | (bounds.high < -0.15)).any())
        found += bool((bounds.high < 0).any())
    assert left <= 2
    assert found == 40


def test_a_world_that_gets_harder_while_the_share_grows_does_not_mislead() -> None:
    """Cases are harder just when the challenger has most of its own: means would blame the challenger."""
    rng = np.random.default_rng(5)
    shares = np.repeat([0.1, 0.5], [4000, 4000])
    hardness = np.repeat([0.1, 0.4], [4000, 4000])
    taken = rng.random(8000) < shares
    errors = (rng.random(8000) < hardness).astype("float64")
    naive = errors[taken].mean() - errors[~taken].mean()
    bounds = difference_bounds(
        errors,
        taken,
        shares,
        least_share=0.1,
        most_share=0.5,
        alpha=0.05,
        tuned_for=200.0,
        moments=np.array([8000]),
    )
    assert naive > 0.08
    assert bounds.low[0] < 0 < bounds.high[0]
    assert abs(bounds.estimate[0]) < 0.04


def test_no_part_of_an_estimate_leaves_the_scale_for_which_the_bounds_are_made() -> None:
    rng = np.random.default_rng(1)
    shares = rng.uniform(0.02, 0.9, 5000)
    errors, taken = rng.random(5000), rng.random(5000) < shares
    noise, _ = scattered(errors, taken, shares)
    assert noise.min() >= -1 / (1 - 0.9)
    assert noise.max() <= 1 / 0.02
