"""The guard's tests hold the stated rate of false alarms however often they look, and see changes."""

import numpy as np
import pytest
from scipy import stats

from feedback.statistics.suspicion import (
    chance_of_disagreement,
    changed_balance,
    counted_on,
    level_of,
    look_at,
)

LEAST, RATE = 50, 0.05


def looked_at(labels: np.ndarray, earlier: np.ndarray, *, each: int, classes: int) -> bool:
    """Tell whether a day's labels are suspected at any look, where so many come with each report."""
    names = [str(one) for one in range(classes)]
    before_counts = counted_on([str(one) for one in earlier], names)
    for before in range(0, len(labels), each):
        after = min(before + each, len(labels))
        look = look_at(before, after, LEAST)
        if look is None:
            continue
        now = counted_on([str(one) for one in labels[:after]], names)
        level = level_of(look, RATE)
        if changed_balance(now, before_counts, level=level, least_change=0.0) is not None:
            return True
    return False


@pytest.mark.parametrize(("shares", "each"), [((0.5, 0.5), 1), ((0.9, 0.08, 0.02), 20), ((0.25,) * 4, 100)])
def test_labels_without_change_are_suspected_no_more_often_than_stated(
    shares: tuple[float, ...], each: int
) -> None:
    rng, classes = np.random.default_rng(6), len(shares)
    alarms = sum(
        looked_at(
            rng.choice(classes, size=int(rng.integers(LEAST, 2_000)), p=shares),
            rng.choice(classes, size=int(rng.integers(LEAST, 5_000)), p=shares),
            each=each,
            classes=classes,
        )
        for _ in range(1_000)
    )
    assert alarms <= stats.binom.ppf(0.999, 1_000, RATE)


def test_a_change_is_seen_at_the_first_look() -> None:
    rng = np.random.default_rng(7)
    earlier = rng.choice(2, size=1_000, p=(0.7, 0.3))
    assert all(
        looked_at(rng.choice(2, size=LEAST, p=(0.3, 0.7)), earlier, each=1, classes=2) for _ in range(100)
    )


def test_the_largest_change_is_named_and_small_ones_are_let_be() -> None:
    now, earlier = np.array([5_000, 5_000]), np.array([5_400, 4_600])
    assert changed_balance(now, earlier, level=0.001, least_change=0.1) is None
    found = changed_balance(now, earlier, level=0.001, least_change=0.01)
    assert found is not None
    assert (found.bin, found.share, found.before) == (1, 0.5, 0.46)
    assert changed_balance(np.array([0]), np.array([5]), level=0.5, least_change=0.0) is None


def test_looks_come_when_the_count_has_grown_by_half_and_spend_the_rate() -> None:
    due = [count for count in range(1, 400) if look_at(count - 1, count, 50) is not None]
    assert due == [50, 75, 113, 169, 254, 380]
    assert look_at(0, 400, 50) == 6
    assert look_at(60, 70, 50) is None
    assert sum(level_of(look, 0.01) for look in range(1, 10_000)) == pytest.approx(0.01, rel=1e-3)


def test_disagreement_within_what_is_allowed_is_no_surprise() -> None:
    assert chance_of_disagreement(4, 20, 0.2) > 0.5
    assert chance_of_disagreement(15, 20, 0.2) < 1e-6
    assert chance_of_disagreement(15, 20, 0.2) == pytest.approx(float(stats.binom.sf(14, 20, 0.2)))


def test_numbers_are_counted_between_edges() -> None:
    assert counted_on([1.0, 2.0, 5.0, 9.0], np.array([2.0, 5.0])).tolist() == [2, 1, 1]
    assert counted_on(["b", "a", "b"], ["a", "b", "c"]).tolist() == [1, 2, 0]
