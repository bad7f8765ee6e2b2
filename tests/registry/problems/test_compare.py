import numpy as np
import pytest

from registry.problems import NotComparable, paired_bootstrap


def test_the_interval_of_a_clear_difference_is_above_zero() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=200)
    found = paired_bootstrap(noise + 0.5 + rng.normal(0, 0.1, 200), noise)
    assert 0.4 < found.low < found.mean < found.high < 0.6
    assert found.n == 200


def test_equal_scores_differ_by_nothing() -> None:
    scores = np.ones(50)
    found = paired_bootstrap(scores, scores)
    assert (found.mean, found.low, found.high) == (0, 0, 0)


def test_it_is_repeatable_and_the_seed_matters() -> None:
    a, b = np.random.default_rng(1).normal(size=(2, 100))
    assert paired_bootstrap(a, b) == paired_bootstrap(a, b)
    assert paired_bootstrap(a, b) != paired_bootstrap(a, b, seed=1)


@pytest.mark.parametrize("continuous", [False, True])
def test_the_interval_covers_the_truth_as_often_as_it_says(continuous: bool) -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for trial in range(200):
        a = rng.normal(0.3, 1, 2000 if continuous else 100)
        if not continuous:
            a = (a > 0.3).astype(float) - 0.2  # true mean 0.3
        found = paired_bootstrap(a, np.zeros(len(a)), n=200, confidence=0.9, seed=trial)
        covered += found.low <= 0.3 <= found.high
    assert 165 <= covered <= 195


@pytest.mark.parametrize(
    ("a", "b", "text"),
    [([1.0], [1.0, 2.0], "same rows"), ([1.0], [1.0], "two rows"), ([1.0, np.nan], [0.0, 0.0], "finite")],
)
def test_scores_that_cannot_be_paired_are_refused(a: list[float], b: list[float], text: str) -> None:
    with pytest.raises(NotComparable, match=text):
        paired_bootstrap(np.asarray(a), np.asarray(b))
