"""Sending scheduled reports: of each period once, again after longer pauses, then given up visibly.

A sender claims the schedule for a while, so that of two at once one sends, and writes down each address that
has the letter. One that dies just after the mail server took a letter is followed by another that sends that
one letter again, under the same Message-ID.
"""

import hashlib
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import NamedTuple

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import F
from django.utils import timezone

from mlplatform.errors import PlatformError
from mlplatform.tenancy.actors import Actor, ActorKind
from mlplatform.tenancy.models import User
from mlplatform.tenancy.permissions import Capability, can
from mlplatform.tenancy.scope import current_tenant, tenant_transaction
from mlplatform.tenancy.services.audit import record
from monitoring.models import ReportSchedule
from monitoring.models.report_schedule import ReportFiles
from monitoring.reporting.document import Report
from monitoring.services.deliveries import pause_after
from monitoring.services.report_days import Days, tenant_zone
from monitoring.services.report_files import ReportForm, report_file
from monitoring.services.report_rhythms import due_next, last_period
from monitoring.services.report_schedules import readers_of
from monitoring.services.reports import make_report

CLAIMED_FOR = timedelta(minutes=30)
MOST_ATTEMPTS = 10  # the last about four hours after the first
LONGEST_SUBJECT = 150
ATTACHED = {
    ReportFiles.PDF: (ReportForm.PDF,),
    ReportFiles.HTML: (ReportForm.HTML,),
    ReportFiles.BOTH: (ReportForm.PDF, ReportForm.HTML),
}


class Attachment(NamedTuple):
    """A file of a letter."""

    name: str
    content: bytes
    media_type: str


def due_reports(now: datetime | None = None) -> list[int]:
    """Return the keys of the schedules whose time has come."""
    with tenant_transaction():
        rows = ReportSchedule.objects.filter(enabled=True, next_try_at__lte=now or timezone.now())
        return list(rows.order_by("pk").values_list("pk", flat=True))


def send_report(*, pk: int, now: datetime | None = None) -> ReportSchedule | None:
    """Make the report of the period that ended last and write to its readers; None where it is not due.

    Afterwards the period is settled, or ``next_try_at`` says when it is tried again. Call it outside of
    transactions.
    """
    now = now or timezone.now()
    schedule = _claimed(pk, now)
    if schedule is None:
        return None
    days = last_period(schedule.rhythm, tenant_zone(), now)
    if schedule.settled is not None and schedule.settled >= days.last:
        return _ended(schedule, days, now, error="", sent=False)
    try:
        hashes = _written(schedule, days)
    except (SMTPException, OSError) as error:
        words = f"The mail server took no letter: {type(error).__name__}."
        return _failed(schedule, days, now, words)
    except PlatformError as error:
        return _failed(schedule, days, now, error.detail)
    if not hashes:
        return _failed(schedule, days, now, "None of its readers is a member who may see it.")
    return _ended(schedule, days, now, error="", sent=True)


def _claimed(pk: int, now: datetime) -> ReportSchedule | None:
    with tenant_transaction():
        due = ReportSchedule.objects.filter(pk=pk, enabled=True, next_try_at__lte=now)
        if not due.update(attempts=F("attempts") + 1, next_try_at=now + CLAIMED_FOR):
            return None
        return ReportSchedule.objects.select_related("model").get(pk=pk)


def _written(schedule: ReportSchedule, days: Days) -> list[str]:
    """Write to everybody who has no letter yet; return the hashes of what they got."""
    with tenant_transaction():
        readers = readers_of(schedule)
        # Whoever may read the audit trail gets it quoted, the others do not.
        trail = {user.pk: can(user, Capability.ADMIN, schedule.model) for user in readers}
    hashes = []
    with get_connection() as connection:
        for quoted in (True, False):
            group = [user for user in readers if trail[user.pk] is quoted]
            waiting = [user for user in group if user.email not in schedule.reached]
            if group:
                report = make_report(
                    days=days, by=_actor(schedule), form="mail", model=schedule.model, trail=quoted
                )
                hashes.append(report.digest)
                files = _files(schedule, report) if waiting else []
                for user in waiting:
                    _letter(schedule, days, report, files, user, connection).send()
                    _note(schedule, user.email)
    return hashes


def _actor(schedule: ReportSchedule) -> Actor:
    return Actor(ActorKind.SCHEDULE, schedule.name, schedule.pk)


def _files(schedule: ReportSchedule, report: Report) -> list[Attachment]:
    made = [report_file(report, form) for form in ATTACHED[ReportFiles(schedule.files)]]
    return [Attachment(one.name, one.content, one.media_type) for one in made]


def _letter(
    schedule: ReportSchedule,
    days: Days,
    report: Report,
    files: list[Attachment],
    user: User,
    connection: BaseEmailBackend,
) -> EmailMessage:
    key = f"{current_tenant().slug}:{schedule.pk}:{days.last}:{user.email}"
    lines = [
        report.content.title,
        *report.content.verdict,
        f"The whole report is attached. SHA-256 of its content: {report.digest}",
        f"You get this letter by {schedule.name}, a report schedule of {current_tenant().name}.",
    ]
    subject = " ".join(report.content.title.split())[:LONGEST_SUBJECT]
    headers = {"Message-ID": f"<report.{hashlib.sha256(key.encode()).hexdigest()[:32]}@ml-platform>"}
    letter = EmailMessage(
        subject, "\n\n".join(lines) + "\n", None, [user.email], connection=connection, headers=headers
    )
    for one in files:
        letter.attach(one.name, one.content, one.media_type)
    return letter


def _note(schedule: ReportSchedule, address: str) -> None:
    schedule.reached = [*schedule.reached, address]
    with tenant_transaction():
        ReportSchedule.objects.filter(pk=schedule.pk).update(reached=schedule.reached)


def _failed(schedule: ReportSchedule, days: Days, now: datetime, words: str) -> ReportSchedule:
    """Note why, and when it is tried again; after the last attempt the period is given up."""
    if schedule.attempts >= MOST_ATTEMPTS:
        return _ended(schedule, days, now, error=f"Given up for {days}. {words}", sent=False)
    schedule.last_error = words[:500]
    schedule.next_try_at = now + pause_after(schedule.attempts)
    with tenant_transaction():
        schedule.save(update_fields=["last_error", "next_try_at"])
    return schedule


def _ended(schedule: ReportSchedule, days: Days, now: datetime, *, error: str, sent: bool) -> ReportSchedule:
    """Settle the period and set when the next one is due."""
    told = {"since": str(days.first), "until": str(days.last), "addresses": schedule.reached}
    schedule.settled, schedule.attempts, schedule.reached = days.last, 0, []
    schedule.next_try_at = due_next(schedule.rhythm, schedule.hour, days.zone, now)
    schedule.last_error = error[:500]
    schedule.last_sent_at = now if sent else schedule.last_sent_at
    names = ["settled", "attempts", "reached", "next_try_at", "last_error", "last_sent_at"]
    with tenant_transaction():
        schedule.save(update_fields=names)
        if sent or error:
            action = "report.mailed" if sent else "report.given_up"
            record(by=_actor(schedule), action=action, target=schedule, **told)
    return schedule
