"""Report schedules: written down, changed, deleted, sent by hand."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import Membership, User
from mlplatform.tenancy.permissions import Capability, can
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import fields_of, record
from monitoring.errors import InvalidReportSchedule, ReportScheduleExists, ReportScheduleNotFound
from monitoring.models import ReportSchedule
from monitoring.services.report_days import tenant_zone
from monitoring.services.report_rhythms import due_next, last_period
from registry.models import RegisteredModel

EDITABLE = ("name", "model", "rhythm", "hour", "files", "recipients", "enabled")
PROGRESS = ("settled", "next_try_at", "attempts", "reached", "last_sent_at", "last_error", "created_at")
MOST_SCHEDULES, MOST_RECIPIENTS = 100, 50


def create_report_schedule(*, name: str, by: Actor, **plain: Any) -> ReportSchedule:
    """Write a schedule down; its first report is of the stretch that runs now. ``plain`` are of ``EDITABLE``.

    Raises InvalidReportSchedule or ReportScheduleExists.
    """
    if ReportSchedule.objects.count() >= MOST_SCHEDULES:
        raise InvalidReportSchedule(f"There are {MOST_SCHEDULES} report schedules already. Delete one first.")
    schedule = ReportSchedule(created_by=str(by)[:200])
    _take(schedule, {"name": name, **plain})
    start_anew(schedule, timezone.now())
    with tenant_transaction():
        _save(schedule)
        record(
            by=by, action="report_schedule.created", target=schedule, after=fields_of(schedule, "created_at")
        )
    return schedule


def update_report_schedule(
    *, schedule: ReportSchedule, changes: Mapping[str, Any], by: Actor
) -> ReportSchedule:
    """Change any of ``EDITABLE``; what is left out stays. Raises as ``create_report_schedule``."""
    with tenant_transaction():
        row = _locked(schedule)
        before = told(row)
        _take(row, changes)
        if {name: before[name] for name in ("rhythm", "hour", "enabled")} != {
            name: getattr(row, name) for name in ("rhythm", "hour", "enabled")
        }:
            start_anew(row, timezone.now())
        _save(row)
        record(by=by, action="report_schedule.updated", target=row, before=before, after=told(row))
    return row


def delete_report_schedule(*, schedule: ReportSchedule, by: Actor) -> None:
    """Write no more of these reports."""
    with tenant_transaction():
        row = _locked(schedule)
        record(by=by, action="report_schedule.deleted", target=row, before=fields_of(row, "created_at"))
        row.delete()


def ask_for_report(*, schedule: ReportSchedule, by: Actor) -> ReportSchedule:
    """Have the report of the stretch that ended last sent once more, as soon as a worker is free.

    Raises InvalidReportSchedule where the schedule is switched off.
    """
    with tenant_transaction():
        row = _locked(schedule)
        if not row.enabled:
            raise InvalidReportSchedule("It is switched off. Switch it on before you have it sent.")
        row.settled, row.attempts, row.reached, row.next_try_at = None, 0, [], timezone.now()
        row.save(update_fields=["settled", "attempts", "reached", "next_try_at"])
        record(by=by, action="report_schedule.sent_by_hand", target=row)
    return row


def find_report_schedule(pk: int) -> ReportSchedule:
    """Return the tenant's schedule; raises ReportScheduleNotFound."""
    found = schedules_of_reports().filter(pk=pk).first()
    if found is None:
        raise ReportScheduleNotFound(f"There is no report schedule {pk}. See /api/v1/report-schedules.")
    return found


def schedules_of_reports() -> "QuerySet[ReportSchedule]":
    """Return the tenant's schedules with their models."""
    return ReportSchedule.objects.select_related("model")


def start_anew(schedule: ReportSchedule, now: datetime) -> None:
    """Set when it is due next; the stretch that ended last counts as settled."""
    zone = tenant_zone()
    schedule.settled = last_period(schedule.rhythm, zone, now).last
    schedule.next_try_at = due_next(schedule.rhythm, schedule.hour, zone, now) if schedule.enabled else None
    schedule.attempts, schedule.reached, schedule.last_error = 0, [], ""


def readers_of(schedule: ReportSchedule) -> list[User]:
    """Return who is written to: the named members, or the administrators, who may see the report today."""
    named = {address.lower() for address in schedule.recipients}
    needed = Capability.VIEW if schedule.model is not None else Capability.ADMIN
    return [
        user
        for user in _members()
        if can(user, needed, schedule.model)
        and (user.email.lower() in named if named else can(user, Capability.ADMIN))
    ]


def told(schedule: ReportSchedule) -> dict[str, Any]:
    """Return what people may change, for the trail."""
    return fields_of(schedule, *PROGRESS)


def _members() -> list[User]:
    rows = Membership.objects.filter(user__is_active=True).select_related("user").order_by("pk")
    return [row.user for row in rows if row.user.email]


def _take(schedule: ReportSchedule, plain: Mapping[str, Any]) -> None:
    if unknown := sorted(set(plain) - set(EDITABLE)):
        hint = f"Known: {', '.join(EDITABLE)}."
        raise InvalidReportSchedule("There is no such field.", fields={name: [hint] for name in unknown})
    for name, value in plain.items():
        setattr(schedule, name, value.strip() if name == "name" and isinstance(value, str) else value)
    schedule.recipients = _addresses(schedule.recipients, schedule.model)
    try:
        schedule.clean_fields(exclude=["created_by", "tenant", "model", "recipients"])
        schedule.clean()
    except ValidationError as error:
        raise InvalidReportSchedule("Some fields are wrong.", fields=error.message_dict) from error


def _addresses(given: Any, model: RegisteredModel | None) -> list[str]:
    """Return the members' addresses as their accounts have them; raises InvalidReportSchedule."""
    if not isinstance(given, list) or len(given) > MOST_RECIPIENTS:
        raise _wrong(f"Give a list of at most {MOST_RECIPIENTS} addresses.")
    needed = Capability.VIEW if model is not None else Capability.ADMIN
    with tenant_transaction():
        known = {user.email.lower(): user for user in _members()}
        return list(dict.fromkeys(_address(one, known, needed, model) for one in given))


def _address(one: Any, known: Mapping[str, User], needed: Capability, model: RegisteredModel | None) -> str:
    try:
        validate_email(one)
    except (ValidationError, TypeError) as error:
        raise _wrong(f"{str(one)[:80]!r} is no address.") from error
    user = known.get(one.lower())
    if user is None:
        raise _wrong(f"{one[:80]!r} is no member of this tenant. Reports go to members alone.")
    if not can(user, needed, model):
        raise _wrong(f"{one[:80]!r} may not see this report. It needs the right '{needed}'.")
    return user.email


def _wrong(words: str) -> InvalidReportSchedule:
    return InvalidReportSchedule(words, fields={"recipients": [words]})


def _locked(schedule: ReportSchedule) -> ReportSchedule:
    row = ReportSchedule.objects.select_for_update().filter(pk=schedule.pk).first()
    if row is None:
        raise ReportScheduleNotFound(f"The report schedule {schedule.name!r} was deleted meanwhile.")
    return row


def _save(schedule: ReportSchedule) -> None:
    try:
        with tenant_transaction():
            schedule.save()
    except IntegrityError as error:
        words = f"A report schedule {schedule.name!r} exists already. Choose another name."
        raise ReportScheduleExists(words, fields={"name": ["Taken."]}) from error


def addresses_in(text: str | Iterable[str]) -> list[str]:
    """Return the addresses that somebody wrote, between spaces, commas or lines."""
    return text.replace(",", " ").split() if isinstance(text, str) else list(text)
