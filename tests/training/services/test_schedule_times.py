"""When schedules fire, told by the scheduler's own objects."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from training.errors import InvalidSchedule
from training.services.schedule_times import Timing, following


def first_runs(timing: Timing, after: datetime, n: int = 3) -> list[str]:
    schedule, runs = timing.check().beat_row().schedule, []
    for _ in range(n):
        after = following(schedule, after)
        runs.append(after.astimezone(ZoneInfo(timing.timezone)).strftime("%m-%d %H:%M"))
    return runs


@pytest.mark.parametrize(
    ("cron", "runs"),
    [
        ("0 3 * * *", ["03-02 03:00", "03-03 03:00", "03-04 03:00"]),
        ("*/20 * * * *", ["03-01 12:20", "03-01 12:40", "03-01 13:00"]),
        ("30 8 1,15 * *", ["03-15 08:30", "04-01 08:30", "04-15 08:30"]),
        ("0 9 * * mon-fri", ["03-02 09:00", "03-03 09:00", "03-04 09:00"]),
        ("0 0 31 * *", ["03-31 00:00", "05-31 00:00", "07-31 00:00"]),
    ],
)
def test_cron_lines(cron: str, runs: list[str]) -> None:
    assert first_runs(Timing("cron", cron), datetime(2026, 3, 1, 12, 0, tzinfo=UTC)) == runs


def test_a_cron_line_means_its_own_time_zone_across_the_change_of_clocks() -> None:
    runs = first_runs(
        Timing("cron", "0 3 * * *", timezone="Europe/Berlin"), datetime(2026, 3, 27, 12, 0, tzinfo=UTC)
    )
    assert runs == ["03-28 03:00", "03-29 03:00", "03-30 03:00"]


@pytest.mark.parametrize(
    "cron",
    [
        "", "tomorrow", "* * * * * *", "* * * *", "61 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *",
        "* * * * 7", "0 0 30 2 *", "0 0 31 4 *", "*/0 * * * *", ", * * * *", "1-- * * * *", "a * * * *",
        "0 3 * * someday", "@daily", "99999999999 * * * *",
    ],
)  # fmt: skip
def test_a_cron_line_that_is_none_is_refused(cron: str) -> None:
    with pytest.raises(InvalidSchedule, match="Write five fields") as caught:
        Timing("cron", cron).check()
    assert list(caught.value.fields or {}) == ["cron"]


def test_a_cron_line_that_fires_in_decades_is_refused() -> None:
    with pytest.raises(InvalidSchedule, match="would first fire on 20"):
        Timing("cron", "0 0 29 2 1").check()


@pytest.mark.parametrize(
    ("timing", "field"),
    [
        (Timing("cron", "0 3 * * *", timezone="Mars/Olympus"), "timezone"),
        (Timing("interval", every=5, unit="seconds"), "unit"),
        (Timing("interval", every=0, unit="hours"), "every"),
        (Timing("interval", every=None, unit="hours"), "every"),
        (Timing("interval", every=10**6, unit="days"), "every"),
        (Timing("sometimes"), "kind"),
    ],
)
def test_other_times_that_are_none_are_refused(timing: Timing, field: str) -> None:
    with pytest.raises(InvalidSchedule) as caught:
        timing.check()
    assert list(caught.value.fields or {}) == [field]


def test_what_the_other_kind_needs_is_cleared() -> None:
    assert Timing("interval", "0 3 * * *", 2, "hours").check().cron == ""
    assert Timing("cron", " 0  3 * * * ", 2, "hours").check() == Timing("cron", "0 3 * * *")
