"""When scheduled reports are due, and of which days they tell."""

from datetime import UTC, date, datetime

import pytest

from monitoring.services.report_days import Days
from monitoring.services.report_rhythms import due_next, last_period

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("rhythm", "first", "last"),
    [
        ("weekly", date(2026, 11, 9), date(2026, 11, 15)),
        ("monthly", date(2026, 10, 1), date(2026, 10, 31)),
        ("quarterly", date(2026, 7, 1), date(2026, 9, 30)),
    ],
)
def test_the_period_that_ended_last(rhythm: str, first: date, last: date) -> None:
    assert last_period(rhythm, "UTC", NOW) == Days(first, last, "UTC")


def test_the_clocks_of_the_tenant_count() -> None:
    late = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    assert last_period("monthly", "UTC", late).last == date(2026, 9, 30)
    assert last_period("monthly", "Europe/Berlin", late).last == date(2026, 10, 31)


@pytest.mark.parametrize(
    ("rhythm", "due"),
    [
        ("weekly", datetime(2026, 11, 23, 6, tzinfo=UTC)),
        ("monthly", datetime(2026, 12, 1, 6, tzinfo=UTC)),
        ("quarterly", datetime(2027, 1, 1, 6, tzinfo=UTC)),
    ],
)
def test_the_next_one_is_due_on_the_first_day_after(rhythm: str, due: datetime) -> None:
    assert due_next(rhythm, 7, "Europe/Berlin", NOW) == due
    assert due_next(rhythm, 7, "Europe/Berlin", due) > due


def test_on_the_first_day_before_the_hour_it_is_due_today() -> None:
    early = datetime(2026, 12, 1, 3, tzinfo=UTC)
    assert due_next("monthly", 7, "UTC", early) == datetime(2026, 12, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize("month", range(1, 13))
def test_no_month_and_no_quarter_is_left_out(month: int) -> None:
    begin = datetime(2027, month, 1, 7, tzinfo=UTC)
    following = due_next("monthly", 7, "UTC", begin)
    assert (following.month, following.day) == (month % 12 + 1, 1)
    assert due_next("quarterly", 7, "UTC", begin).month in {1, 4, 7, 10}


def test_days_of_a_zone_that_is_half_an_hour_off_begin_with_a_whole_hour() -> None:
    period = Days(date(2026, 11, 1), date(2026, 11, 1), "Asia/Kolkata").period
    assert period.since == datetime(2026, 10, 31, 18, tzinfo=UTC)
    assert period.until == datetime(2026, 11, 1, 18, tzinfo=UTC)
