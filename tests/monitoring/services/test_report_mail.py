"""Scheduled reports: sent once for each period, again where the mail server fails, given up visibly."""

from datetime import UTC, date, datetime, timedelta
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from pytest_django import Settings

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Membership, Tenant
from mlplatform.tenancy.services.tenants import add_member
from monitoring.errors import InvalidReportSchedule, ReportScheduleExists
from monitoring.models import ReportSchedule
from monitoring.services.report_mail import MOST_ATTEMPTS, due_reports, send_report
from monitoring.services.report_schedules import (
    ask_for_report,
    create_report_schedule,
    delete_report_schedule,
    readers_of,
    update_report_schedule,
)
from registry.models import RegisteredModel
from tests.factories import make_model

DUE = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
BROKEN = "tests.monitoring.services.test_report_mail.Broken"


class Broken(EmailBackend):
    """A mail server that takes the first letter and then hangs up."""

    def send_messages(self, messages: Any) -> int:
        if mail.outbox:
            raise SMTPServerDisconnected("gone")
        return super().send_messages(messages)


@pytest.fixture
def people(in_tenant: Tenant) -> dict[str, str]:
    """An administrator and a viewer."""
    found = {"ada@clinic.example": "admin", "vic@clinic.example": "viewer"}
    for email, role in found.items():
        add_member(email=email, role=role, by=SYSTEM)
    mail.outbox.clear()
    return found


@pytest.fixture
def schedule(people: dict[str, str], model: RegisteredModel) -> ReportSchedule:
    """A monthly report on the model for both, due on the first of December."""
    made = create_report_schedule(
        name="Committee", model=model, recipients=list(people), files="html", by=SYSTEM
    )
    return due(made)


def due(schedule: ReportSchedule) -> ReportSchedule:
    ReportSchedule.objects.update(
        settled=date(2026, 10, 31), next_try_at=datetime(2026, 12, 1, 7, tzinfo=UTC)
    )
    schedule.refresh_from_db()
    return schedule


def sent(schedule: ReportSchedule, now: datetime = DUE) -> ReportSchedule:
    found = send_report(pk=schedule.pk, now=now)
    assert found is not None
    return found


def test_at_the_end_of_its_period_everybody_gets_one_letter(schedule: ReportSchedule) -> None:
    assert due_reports(DUE) == [schedule.pk]
    found = sent(schedule)
    assert [letter.to for letter in mail.outbox] == [["ada@clinic.example"], ["vic@clinic.example"]]
    assert mail.outbox[0].subject == "Report on cancer, 2026-11-01 to 2026-11-30"
    name, content, media_type = mail.outbox[0].attachments[0]
    assert (name, media_type) == ("cancer-report-2026-11-01-2026-11-30.html", "text/html")
    assert "Which article each part serves" in str(content)
    assert (found.settled, found.last_error) == (date(2026, 11, 30), "")
    assert found.next_try_at == datetime(2027, 1, 1, 7, tzinfo=UTC)


def test_the_same_period_is_sent_once(schedule: ReportSchedule) -> None:
    sent(schedule)
    assert send_report(pk=schedule.pk, now=DUE + timedelta(minutes=5)) is None
    ReportSchedule.objects.update(next_try_at=DUE)  # a message that comes twice
    sent(schedule, DUE + timedelta(minutes=6))
    assert len(mail.outbox) == 2
    assert AuditEvent.objects.filter(action="report.mailed").count() == 1


def test_who_may_not_read_the_trail_gets_a_report_without_it(schedule: ReportSchedule) -> None:
    sent(schedule)
    ada, vic = (str(letter.attachments[0][1]) for letter in mail.outbox)
    assert "administrators read them" in vic
    assert "administrators read them" not in ada


def test_a_failure_is_tried_again_and_nobody_gets_two_letters(
    schedule: ReportSchedule, settings: Settings
) -> None:
    usual = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = BROKEN
    found = sent(schedule)
    assert (found.attempts, found.reached) == (1, ["ada@clinic.example"])
    assert found.last_error == "The mail server took no letter: SMTPServerDisconnected."
    assert found.next_try_at == DUE + timedelta(seconds=30)
    settings.EMAIL_BACKEND = usual
    found = sent(schedule, DUE + timedelta(minutes=1))
    assert [letter.to for letter in mail.outbox] == [["ada@clinic.example"], ["vic@clinic.example"]]
    assert (found.attempts, found.last_error, found.settled) == (0, "", date(2026, 11, 30))
    told = AuditEvent.objects.get(action="report.mailed").details
    assert told["addresses"] == ["ada@clinic.example", "vic@clinic.example"]


def test_after_the_last_attempt_it_is_given_up_and_says_so(
    schedule: ReportSchedule, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = BROKEN
    ReportSchedule.objects.update(attempts=MOST_ATTEMPTS - 1, reached=["ada@clinic.example"])
    mail.outbox.append(mail.EmailMessage())
    found = sent(schedule)
    assert found.last_error.startswith(
        "Given up for 2026-11-01 to 2026-11-30. The mail server took no letter"
    )
    assert (found.attempts, found.settled) == (0, date(2026, 11, 30))
    assert AuditEvent.objects.filter(action="report.given_up").exists()


def test_who_has_left_gets_nothing(schedule: ReportSchedule) -> None:
    Membership.objects.filter(user__email="vic@clinic.example").delete()
    sent(schedule)
    assert [letter.to for letter in mail.outbox] == [["ada@clinic.example"]]


def test_with_nobody_to_write_to_it_says_so(schedule: ReportSchedule) -> None:
    Membership.objects.all().delete()
    assert sent(schedule).last_error == "None of its readers is a member who may see it."


def test_a_pdf_is_attached_where_it_is_wanted(schedule: ReportSchedule) -> None:
    update_report_schedule(
        schedule=schedule, changes={"files": "both", "recipients": ["ada@clinic.example"]}, by=SYSTEM
    )
    sent(due(schedule))
    endings = [(name.rpartition(".")[2], content[:5]) for name, content, _ in mail.outbox[0].attachments]
    assert endings == [("pdf", b"%PDF-"), ("html", "<!doc")]


def test_sent_by_hand_it_goes_to_everybody_again(schedule: ReportSchedule) -> None:
    sent(schedule)
    mail.outbox.clear()
    asked = ask_for_report(schedule=schedule, by=SYSTEM)
    assert asked.next_try_at is not None
    sent(schedule, max(asked.next_try_at, DUE))
    assert len(mail.outbox) == 2


def test_what_is_switched_off_is_not_sent(schedule: ReportSchedule) -> None:
    update_report_schedule(schedule=schedule, changes={"enabled": False}, by=SYSTEM)
    assert due_reports(DUE) == []
    assert send_report(pk=schedule.pk, now=DUE) is None
    with pytest.raises(InvalidReportSchedule, match="switched off"):
        ask_for_report(schedule=schedule, by=SYSTEM)


def test_a_new_schedule_begins_with_the_period_that_runs(people: dict[str, str]) -> None:
    made = create_report_schedule(name="All", rhythm="weekly", by=SYSTEM)
    assert made.settled is not None
    assert made.next_try_at is not None
    assert made.next_try_at.weekday() == 0
    assert made.settled.weekday() == 6
    assert [user.email for user in readers_of(made)] == ["ada@clinic.example"]


@pytest.mark.parametrize(
    ("recipients", "words"),
    [
        (["nobody"], "is no address"),
        ([7], "is no address"),
        (["eve@elsewhere.example"], "is no member of this tenant"),
        (["vic@clinic.example"], "may not see this report"),
        ("vic@clinic.example", "Give a list"),
        (["ada@clinic.example"] * 51, "at most 50"),
    ],
)
def test_the_tenants_report_goes_to_its_administrators_alone(
    people: dict[str, str], recipients: Any, words: str
) -> None:
    with pytest.raises(InvalidReportSchedule, match=words):
        create_report_schedule(name="All", recipients=recipients, by=SYSTEM)


@pytest.mark.parametrize(
    "wrong", [{"rhythm": "daily"}, {"hour": 24}, {"files": "docx"}, {"name": ""}, {"period": 3}]
)
def test_what_cannot_work_is_refused_by_its_name(people: dict[str, str], wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidReportSchedule) as refused:
        create_report_schedule(**{"name": "All", "by": SYSTEM, **wrong})
    assert set(refused.value.fields or ()) == set(wrong)


def test_a_name_is_given_once(schedule: ReportSchedule) -> None:
    with pytest.raises(ReportScheduleExists):
        create_report_schedule(name="Committee", by=SYSTEM)


def test_another_rhythm_begins_anew(schedule: ReportSchedule) -> None:
    ReportSchedule.objects.update(attempts=3, last_error="x")
    changed = update_report_schedule(schedule=schedule, changes={"rhythm": "quarterly"}, by=SYSTEM)
    assert (changed.attempts, changed.last_error) == (0, "")
    assert changed.next_try_at is not None
    assert changed.next_try_at.month in {1, 4, 7, 10}


def test_addresses_are_kept_as_their_accounts_have_them(people: dict[str, str]) -> None:
    made = create_report_schedule(
        name="All", model=make_model("other"), recipients=["VIC@clinic.example"], by=SYSTEM
    )
    assert made.recipients == ["vic@clinic.example"]


def test_a_deleted_schedule_is_gone(schedule: ReportSchedule) -> None:
    delete_report_schedule(schedule=schedule, by=SYSTEM)
    assert not ReportSchedule.objects.exists()
