"""The rules of alarms: the rate they hold, what more rows, columns and looks do to it, the classic limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.statistics.alarms import Divergence, Watch, calibrated, classic, level_of_a_column
from monitoring.statistics.psi import population_stability_index

WEEK = Watch(days=7, minutes=15)


def columns(count: int, score: float = 0.0, rows: int = 1_000) -> dict[str, Divergence]:
    return {f"x{place}": Divergence(score, 2_000, rows, 10) for place in range(count)}


def level(count: int = 10, rows: int = 1_000, watch: Watch = WEEK, allowed: float = 1.0) -> float:
    return level_of_a_column(columns(count, rows=rows).values(), watch, allowed)


def test_more_columns_more_looks_and_fewer_false_alarms_make_each_column_more_careful() -> None:
    assert level(100) < level(10) < level(1)
    assert level(watch=Watch(7, 1)) < level(watch=Watch(7, 60)) < level(watch=Watch(7, 24 * 60))
    assert level(allowed=0.1) < level(allowed=1) < level(allowed=10)
    assert level(watch=Watch(1, 15)) < level(watch=Watch(7, 15)) < level(watch=Watch(30, 15))


def test_looks_at_windows_that_do_not_overlap_share_the_month_evenly() -> None:
    # A look a week, so far apart that it sees each clump once: about one of the month's 4.35 looks.
    far = level(1, rows=20, watch=Watch(7, 7 * 24 * 60), allowed=0.01)
    assert far == pytest.approx(0.01 / 4.348, rel=0.5)


def test_a_young_window_that_still_grows_is_judged_with_more_care() -> None:
    assert level(watch=Watch(0.1, 15, growing=True)) < level(watch=Watch(6.9, 15))


def test_the_limits_tell_drifted_columns_from_the_others() -> None:
    found = columns(9) | {"moved": Divergence(0.2, 2_000, 1_000, 10)}
    judged = calibrated(found, WEEK, 1.0)
    assert judged.drifted == {"moved"}
    assert judged.alarm
    assert judged.rate == pytest.approx(10 * level(10), rel=1e-6)
    assert 0.2 > judged.thresholds["moved"] == judged.thresholds["x0"] > 0


def test_a_standing_alarm_stays_until_the_score_is_well_below_its_limit() -> None:
    limit = calibrated(columns(10), WEEK, 1.0).thresholds["x0"]
    hovering = columns(9) | {"moved": Divergence(0.9 * limit, 2_000, 1_000, 10)}
    assert not calibrated(hovering, WEEK, 1.0).alarm
    assert calibrated(hovering, WEEK, 1.0, standing=True).drifted == {"moved"}
    assert not calibrated(columns(10), WEEK, 1.0, standing=True).alarm


def test_a_constant_column_and_no_column_raise_nothing() -> None:
    constant = {"x": Divergence(0.0, 100, 100, 1)}
    assert not calibrated(constant, WEEK, 1.0).alarm
    assert not calibrated({}, WEEK, 1.0).alarm


@pytest.mark.parametrize(("days", "minutes", "allowed"), [(0, 15, 1), (7, 0, 1), (7, 15, 0), (7, 15, -1)])
def test_numbers_that_are_not_positive_are_refused(days: float, minutes: float, allowed: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        level_of_a_column(columns(1).values(), Watch(days, minutes), allowed)


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.text(max_size=3), st.floats(0, 2), max_size=12), st.integers(1, 10**6))
def test_a_column_has_drifted_exactly_where_its_score_is_above_its_limit(
    scores: dict[str, float], rows: int
) -> None:
    found = {name: Divergence(score, 1_000, rows, 5) for name, score in scores.items()}
    judged = calibrated(found, WEEK, 1.0)
    for name, one in found.items():
        if one.score != pytest.approx(judged.thresholds[name], rel=1e-9):
            assert (name in judged.drifted) == (one.score > judged.thresholds[name])


def test_without_a_change_the_share_of_false_alarms_is_the_stated_one() -> None:
    draw = np.random.default_rng(4)
    shares, alarms, rates = np.full(10, 0.1), 0, []
    for rows in draw.integers(100, 10_000, 1_000):
        found = {}
        for place in range(5):
            before, after = draw.multinomial(5_000, shares), draw.multinomial(rows, shares)
            score = population_stability_index(before.tolist(), after.tolist())
            found[str(place)] = Divergence(score, 5_000, int(rows), 10)
        judged = calibrated(found, WEEK, 5.0)
        alarms += judged.alarm
        rates.append(judged.rate or 0.0)
    assert np.sum(rates) / 2 < alarms < 2 * np.sum(rates)


def test_the_classic_limits_look_at_scores_and_the_share_of_features_alone() -> None:
    found = columns(2, 0.3) | {f"same{place}": Divergence(0.05, 9, 9, 3) for place in range(5)}
    found["prediction"] = Divergence(0.9, 9, 9, 3)
    features = set(found) - {"prediction"}
    judged = classic(found, features)
    assert judged.drifted == {"x0", "x1", "prediction"}
    assert not judged.alarm  # 2 of 7 are below 0.3
    assert judged.rate is None
    assert classic(found, features, share=0.25).alarm
    assert classic(found, features, limit=0.3).drifted == {"prediction"}
