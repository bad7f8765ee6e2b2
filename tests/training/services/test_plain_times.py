"""Times as people say them, against the cron lines that mean the same."""

from datetime import UTC, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.services.test_schedule_times import first_runs
from training.services.plain_times import WEEKDAYS, Often, PlainTimes, plain_times, times_in_words
from training.services.schedule_times import Timing

MORNING = time(8, 5)


@pytest.mark.parametrize(
    ("said", "cron", "words"),
    [
        (PlainTimes(Often.daily, MORNING), "5 8 * * *", "every day at 08:05"),
        (PlainTimes(Often.weekly, MORNING, weekday="0"), "5 8 * * 0", "every Sunday at 08:05"),
        (PlainTimes(Often.weekly, time(0, 0), weekday="3"), "0 0 * * 3", "every Wednesday at 00:00"),
        (
            PlainTimes(Often.monthly, time(23, 59), day=31),
            "59 23 31 * *",
            "on day 31 of every month at 23:59",
        ),
    ],
)
def test_each_way_to_say_it_has_its_line_and_its_words(said: PlainTimes, cron: str, words: str) -> None:
    assert (said.cron(), said.words()) == (cron, words)


@given(
    st.sampled_from(Often),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.sampled_from(sorted(WEEKDAYS)),
    st.integers(1, 31),
)
def test_what_was_said_is_read_off_its_line_again(often: Often, at: time, weekday: str, day: int) -> None:
    said = PlainTimes(
        often, at, weekday if often is Often.weekly else "1", day if often is Often.monthly else 1
    )
    assert plain_times(said.cron()) == said


def test_the_scheduler_fires_when_it_was_said() -> None:
    said = PlainTimes(Often.weekly, MORNING, weekday="1")
    after = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)  # a Sunday
    assert first_runs(Timing("cron", said.cron()), after) == ["03-02 08:05", "03-09 08:05", "03-16 08:05"]


@pytest.mark.parametrize(
    "cron",
    [
        "*/20 * * * *",
        "0 9 * * mon-fri",
        "30 8 1,15 * *",
        "0 3 1 6 *",
        "0 3 1 * 1",
        "0 * * * *",
        "99 3 * * *",
        "0 24 * * *",
        "0 3 32 * *",
        "0 3 * * 7",
        "every day",
        "",
    ],
)
def test_a_line_that_says_more_or_nothing_stays_a_line(cron: str) -> None:
    assert plain_times(cron) is None


@pytest.mark.parametrize("weekday", ["tue", "TUE", "2"])
def test_a_days_name_and_its_number_are_the_same_day(weekday: str) -> None:
    assert plain_times(f"0 3 * * {weekday}") == PlainTimes(Often.weekly, time(3), weekday="2")


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ({"cron": "0 3 * * 1"}, "every Monday at 03:00 (Europe/Berlin)"),
        ({"cron": "*/20 * * * *"}, "by the cron line */20 * * * * (Europe/Berlin)"),
        ({"every": 6, "unit": "hours"}, "every 6 hours"),
        ({"every": 1, "unit": "days"}, "every day"),
    ],
)
def test_a_schedules_times_are_told_in_words(times: dict[str, Any], words: str) -> None:
    whole: dict[str, Any] = {"cron": "", "every": None, "unit": "", "timezone": "Europe/Berlin"} | times
    assert times_in_words(**whole) == words
