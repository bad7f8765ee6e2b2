"""Statistics of drift against what other libraries say of the same rows, kept here as numbers.

Evidently 0.7.23, NannyML and river 0.26.1 were asked once, in environments of their own, by the data below.
The tolerance of each is stated where it is compared; what they take on bins of their own is not.
"""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from monitoring.statistics.comparing import Comparison, compare_frames
from monitoring.statistics.concept import PageHinkley, changes
from monitoring.statistics.samples import TwoSamples

GOLDEN, PLASTIC = 0.6180339887498949, 0.7548776662466927


def frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    """400 and 300 rows of a number and a category, from sequences that are the same on every machine."""
    u = (np.arange(1, 401) * GOLDEN) % 1
    v = (np.arange(8, 308) * PLASTIC) % 1
    names = np.array(list("aabbbcdddd"))
    reference = pd.DataFrame({"number": np.sqrt(u) * 10, "kind": names[(u * 10).astype(int)]})
    current = pd.DataFrame({"number": np.sqrt(v) * 10 + 1.5 * v, "kind": names[((v**1.3) * 10).astype(int)]})
    return reference, current


@pytest.fixture(scope="module")
def found() -> dict[str, Comparison]:
    """Ours."""
    return compare_frames(*frames(), threads=1)


def test_wasserstein_as_evidently_norms_it(found: dict[str, Comparison]) -> None:
    assert found["number"].wasserstein == pytest.approx(0.3300797010846126, rel=1e-12)


def test_kolmogorov_smirnov_by_the_limit_against_evidentlys_exact_p(found: dict[str, Comparison]) -> None:
    test = found["number"].kolmogorov_smirnov
    assert test is not None
    assert test.p_value == pytest.approx(3.0138781519333664e-08, rel=0.05)


def test_hellinger_of_categories(found: dict[str, Comparison]) -> None:
    assert found["kind"].hellinger == pytest.approx(0.0763439596117259, rel=1e-9)


def test_jensen_shannon_of_categories_which_evidently_tells_in_nats(found: dict[str, Comparison]) -> None:
    in_nats = found["kind"].jensen_shannon * math.sqrt(math.log(2))
    assert in_nats == pytest.approx(0.07626529316823843, rel=1e-9)


def test_distances_and_categories_as_nannyml_tells_them(found: dict[str, Comparison]) -> None:
    test = found["number"].kolmogorov_smirnov
    assert test is not None
    assert test.statistic == pytest.approx(0.2275, rel=1e-9)
    before, after = (frame["number"].to_numpy() for frame in frames())
    assert TwoSamples.of(before, after).wasserstein() == pytest.approx(0.7742564467805952, rel=1e-9)
    assert found["kind"].jensen_shannon == pytest.approx(0.09160395263703934, rel=1e-9)
    assert found["kind"].l_infinity == pytest.approx(0.08583333333333332, rel=1e-9)
    assert found["kind"].chi_square.statistic == pytest.approx(8.044558873211843, rel=1e-9)


def test_psi_of_categories_but_for_our_half_a_row_in_each_bin(found: dict[str, Comparison]) -> None:
    assert found["kind"].psi == pytest.approx(0.046723810704987975, rel=0.02)


@pytest.mark.parametrize(("limits", "told"), [((0.02, 10), [643]), ((0.05, 20), [705])])
def test_page_hinkley_tells_at_the_very_row_of_river(limits: Any, told: list[int]) -> None:
    # river with alpha=1: it can forget, ours does not.
    u = (np.arange(1, 1001) * GOLDEN) % 1
    errors = (u < np.where(np.arange(1, 1001) <= 600, 0.1, 0.35)).astype("float64")
    tolerance, threshold = limits
    assert changes(errors, PageHinkley(tolerance=tolerance, threshold=threshold, burn_in=30)) == told
