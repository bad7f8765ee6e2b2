"""Dealing cases out: evenly, the same case always alike, more of them as the share grows."""

from datetime import UTC, datetime, timedelta

from registry.inference.routing import Route, Step, place

START = datetime(2026, 1, 1, tzinfo=UTC)
CASES = [f"case-{number}" for number in range(4000)]


def route(*shares: float, salt: str = "s") -> Route:
    """A share for each hour."""
    return Route(salt, tuple(Step(START + timedelta(hours=n), share) for n, share in enumerate(shares)))


def test_the_share_follows_the_clock() -> None:
    ramp = route(0.05, 0.25, 0.5)
    assert ramp.share(START - timedelta(seconds=1)) == 0
    assert ramp.share(START) == 0.05
    assert ramp.share(START + timedelta(minutes=59)) == 0.05
    assert ramp.share(START + timedelta(hours=1)) == 0.25
    assert ramp.share(START + timedelta(days=9)) == 0.5


def test_the_challenger_gets_its_share_of_the_cases() -> None:
    for share in (0.05, 0.3, 0.5):
        taken = route(share).taken(CASES, START)
        assert abs(sum(taken) / len(CASES) - share) < 0.02


def test_a_case_stays_with_its_version_and_a_growing_share_gives_none_back() -> None:
    ramp = route(0.05, 0.25)
    first, again = ramp.taken(CASES, START), ramp.taken(CASES[::-1], START)[::-1]
    later = ramp.taken(CASES, START + timedelta(hours=1))
    assert first == again
    assert all(then for now, then in zip(first, later, strict=True) if now)


def test_two_rollouts_deal_the_same_cases_differently() -> None:
    one, other = route(0.5, salt="one").taken(CASES, START), route(0.5, salt="other").taken(CASES, START)
    alike = sum(a == b for a, b in zip(one, other, strict=True)) / len(CASES)
    assert 0.45 < alike < 0.55


def test_what_cannot_be_told_apart_is_the_champions() -> None:
    assert route(0.9).taken(["", ""], START) == [False, False]


def test_places_are_fixed_for_ever() -> None:
    """A case must not move because the platform was updated."""
    assert round(place("case", "salt"), 6) == 0.149268
