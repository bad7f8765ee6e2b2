"""Reports over a period in the console: a page for each model, one for the tenant, and their files."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import cast
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.safestring import mark_safe

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import Command
from mlplatform.admin.extensions import console_pages, model_commands
from mlplatform.admin.links import add_url, command_url, page_url
from mlplatform.admin.parts import Button, Fragment, Menu, Section
from mlplatform.admin.site import console
from mlplatform.errors import PlatformError
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability, can
from monitoring.errors import InvalidReport
from monitoring.models.report_schedule import Rhythm
from monitoring.reporting.document import Report
from monitoring.reporting.html import report_body
from monitoring.services.report_days import Days, report_days, tenant_zone, today_in
from monitoring.services.report_files import ReportFile, ReportForm, report_file
from monitoring.services.report_rhythms import last_period
from monitoring.services.reports import make_report
from registry.models import RegisteredModel

FORM = "as"
LENGTHS = (("7 days", 7), ("30 days", 30), ("90 days", 90), ("1 year", 365))


def model_report_page(request: HttpRequest, model: RegisteredModel) -> HttpResponse:
    """Show the model's report over the days of the address, or send it as a file."""
    trail = can(request.user, Capability.ADMIN, model)
    report, days, form = _asked(request, model, trail=trail)
    if form:
        return sent(report_file(report, form))
    page_admin = cast(PlatformModelAdmin, console.get_model_admin(RegisteredModel))
    address = command_url(model, "report")
    back = Button("The model", page_url(model), "arrow_back")
    by_mail = Button(
        "By mail", add_url("monitoring.reportschedule", model=model.pk), "schedule_send", Capability.ADMIN
    )
    offered = [back, *_files(address, days), by_mail]
    return page_admin.render(
        request,
        "admin/pages/object.html",
        model,
        title=report.content.title,
        sections=_sections(report, days, address),
        buttons=[button for button in offered if page_admin.may(request, button.capability, model)],
    )


def tenant_report_page(request: HttpRequest) -> HttpResponse:
    """Show the tenant's report over the days of the address, or send it as a file."""
    if not can(request.user, Capability.ADMIN):
        raise PermissionDenied
    try:
        report, days, form = _asked(request, None, trail=True)
    except PlatformError as error:
        messages.error(request, error.detail)
        return redirect("admin:report")
    if form:
        return sent(report_file(report, form))
    address = reverse("admin:report")
    words = {
        "title": report.content.title,
        "sections": _sections(report, days, address),
        "buttons": [
            *_files(address, days),
            Button("By mail", add_url("monitoring.reportschedule"), "schedule_send"),
        ],
    }
    return TemplateResponse(request, "admin/pages/object.html", {**console.each_context(request), **words})


def sent(file: ReportFile) -> HttpResponse:
    """Return the file as an attachment that no cache keeps."""
    answer = HttpResponse(file.content, content_type=file.media_type)
    answer["Content-Disposition"] = f'attachment; filename="{file.name}"'
    answer["Cache-Control"] = "no-store"
    return answer


def _asked(request: HttpRequest, model: RegisteredModel | None, *, trail: bool) -> tuple[Report, Days, str]:
    form = request.GET.get(FORM, "")
    if form and form not in set(ReportForm):
        raise InvalidReport(f"A report has no form {form[:40]!r}. Choose from: {', '.join(ReportForm)}.")
    days = report_days(_day(request.GET, "since"), _day(request.GET, "until"))
    by = Actor.of(request.user)  # type: ignore[arg-type]  # signed in
    return make_report(days=days, by=by, form=form or "page", model=model, trail=trail), days, form


def _day(query: Mapping[str, str], name: str) -> date | None:
    text = query.get(name, "")
    try:
        day = parse_date(text) if text else None
    except ValueError:
        day = None
    if text and day is None:
        raise InvalidReport(f"{text[:40]!r} is no day. Write it as in 2026-01-31.")
    return day


def _files(address: str, days: Days) -> list[Button]:
    return [
        Button(title, f"{address}?{_query(days.first, days.last)}&{FORM}={form}", "download")
        for title, form in (("PDF", ReportForm.PDF), ("HTML file", ReportForm.HTML))
    ]


def _query(first: date, last: date) -> str:
    return urlencode({"since": first.isoformat(), "until": last.isoformat()})


def _sections(report: Report, days: Days, address: str) -> list[Section]:
    # Made by monitoring.reporting, which escapes every word.
    shown = Fragment("Report", "admin/parts/card.html", {"card": mark_safe(report_body(report))})  # noqa: S308
    return [_chooser(days, address), shown]


def _chooser(days: Days, address: str) -> Fragment:
    zone = tenant_zone()
    today = today_in(zone)
    stretches = [(title, today - timedelta(days=length - 1), today) for title, length in LENGTHS]
    for title, rhythm in (("Last month", Rhythm.MONTHLY), ("Last quarter", Rhythm.QUARTERLY)):
        past = last_period(rhythm, zone, timezone.now())
        stretches.append((title, past.first, past.last))
    choices = [
        {
            "text": title,
            "url": f"{address}?{_query(first, last)}",
            "chosen": (first, last) == (days.first, days.last),
        }
        for title, first, last in stretches
    ]
    context = {
        "choosers": [{"title": "Period", "choices": choices}],
        "kept": {},
        "since": days.first.isoformat(),
        "until": days.last.isoformat(),
    }
    return Fragment("", "admin/parts/choosers.html", context, f"Whole days, {zone}.")


model_commands.append(
    Command("report", "Report", Capability.VIEW, "summarize", view=model_report_page, menu=Menu.LOOK)
)
console_pages["report"] = tenant_report_page
