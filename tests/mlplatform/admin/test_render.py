"""How values look on pages."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from mlplatform.admin.parts import Badge, Lines, Link, Meter
from mlplatform.admin.render import ago, number, show, size

EVIL = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (1234567, "1,234,567"),
        (0.95486123, "0.9549"),
        (12.3456, "12.35"),
        (123456.7, "123,457"),
        (0.0000123, "1.23e-05"),
        (0.0, "0"),
        (float("nan"), "nan"),
    ],
)
def test_numbers_are_rounded_sensibly(value: float, shown: str) -> None:
    assert number(value) == shown


def test_ages_are_in_words() -> None:
    now = timezone.now()
    assert ago(now) == "just now"
    assert ago(now - timedelta(minutes=3, seconds=1)) == "3 min ago"
    assert ago(now + timedelta(hours=2, minutes=1)) == "in 2 h"
    assert ago(now - timedelta(days=9)) == "9 d ago"


def test_times_say_that_they_are_utc() -> None:
    assert "2026-01-02 03:04 UTC" in show(datetime(2026, 1, 2, 3, 4, tzinfo=UTC))


def test_sizes_have_units() -> None:
    assert [size(12), size(1500), size(2_500_000), size(3_000_000_000)] == [
        "12 B",
        "1.5 kB",
        "2.5 MB",
        "3.0 GB",
    ]


@pytest.mark.parametrize(
    "value",
    [
        EVIL,
        Badge(EVIL),
        Link(EVIL, "/"),
        Lines(EVIL, [EVIL]),
        Meter(0.5, EVIL),
        {EVIL: EVIL},
        [EVIL],
        [{EVIL: EVIL}],
    ],
)
def test_everything_from_people_is_escaped(value: object) -> None:
    assert "<img" not in show(value)
    assert "&lt;img" in show(value)


def test_missing_values_are_a_dash() -> None:
    assert show(None) == show("")
    assert "–" in show(None)


def test_dictionaries_become_small_tables() -> None:
    assert "<th scope='row'>max depth</th>" in show({"max_depth": 3})


def test_long_lists_are_cut() -> None:
    assert show(list(range(25))).endswith("and 5 more")
