"""When schedules fire, told by the scheduler's own objects."""

import itertools
from datetime import UTC, datetime, timedelta
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


def moments(timing: Timing, after: datetime, n: int) -> list[datetime]:
    schedule, found = timing.check().beat_row().schedule, []
    for _ in range(n):
        after = following(schedule, after)
        found.append(after)
    return found


@pytest.mark.parametrize(
    ("zone", "cron", "after", "first"),
    [
        ("Asia/Kathmandu", "0 3 * * *", "2026-03-01T00:00", "2026-03-01T21:15"),
        ("Australia/Lord_Howe", "0 3 * * *", "2026-06-01T00:00", "2026-06-01T16:30"),
        ("Pacific/Kiritimati", "0 0 1 * *", "2026-03-05T00:00", "2026-03-31T10:00"),
        ("Pacific/Pago_Pago", "0 23 28 2 *", "2026-02-01T00:00", "2026-03-01T10:00"),
        ("America/New_York", "0 12 * * *", "2026-03-07T18:00", "2026-03-08T16:00"),
        ("Africa/Casablanca", "30 6 * * *", "2026-01-10T00:00", "2026-01-10T05:30"),
    ],
)
def test_a_cron_line_is_read_in_zones_far_from_utc(zone: str, cron: str, after: str, first: str) -> None:
    start = datetime.fromisoformat(after).replace(tzinfo=UTC)
    (found,) = moments(Timing("cron", cron, timezone=zone), start, 1)
    assert found.strftime("%Y-%m-%dT%H:%M") == first


@pytest.mark.parametrize(
    ("zone", "after"),
    [
        ("Europe/Berlin", datetime(2026, 3, 28, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 24, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 7, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 10, 31, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("cron", ["30 2 * * *", "0 * * * *", "30 1 * * *"])
def test_a_change_of_clocks_makes_no_run_twice_and_loses_no_day(
    zone: str, after: datetime, cron: str
) -> None:
    found = moments(Timing("cron", cron, timezone=zone), after, 72)
    assert found == sorted(set(found))
    longest = max(later - earlier for earlier, later in itertools.pairwise(found))
    assert longest <= (timedelta(hours=25) if cron.startswith("30") else timedelta(hours=2))


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


def test_whatever_zone_the_server_happens_to_be_in_is_no_time_zone() -> None:
    with pytest.raises(InvalidSchedule, match="no time zone"):
        Timing("cron", cron="0 3 * * *", timezone="localtime").check()
