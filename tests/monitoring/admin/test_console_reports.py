"""Reports and their schedules in the console."""

from typing import Any

from django.core import mail
from django.urls import reverse

from mlplatform.admin.links import add_url, command_url, page_url
from mlplatform.tenancy.models import Tenant
from monitoring.models import ReportSchedule
from registry.models import ModelVersion, RegisteredModel
from tests.conftest import ConsoleFor
from tests.monitoring.conftest import Ask, tell

SCHEDULE = {"name": "Committee", "rhythm": "monthly", "hour": 7, "attached": "html", "enabled": True}


def test_the_page_and_the_files_say_the_same(
    tenant: Tenant, model: RegisteredModel, ask: Ask, console_for: ConsoleFor
) -> None:
    tell(ask(20))
    client, address = console_for(tenant, "viewer"), command_url(model, "report")
    page = client.get(address).content.decode()
    assert "In short" in page
    assert "gave 20 answers" in page
    assert "Serves Articles 15, 13(3) and 72 of the AI Act." in page
    html = client.get(address, {"as": "html"})
    assert html["Content-Disposition"].startswith('attachment; filename="cancer-report-')
    assert "gave 20 answers" in html.content.decode()
    assert client.get(address, {"as": "pdf"}).content.startswith(b"%PDF-")


def test_days_that_are_none_lead_back_with_a_sentence(
    tenant: Tenant, model: RegisteredModel, console_for: ConsoleFor
) -> None:
    client = console_for(tenant)
    for address in (command_url(model, "report"), reverse("admin:report")):
        for wrong in ({"since": "soon"}, {"since": "2026-02-02", "until": "2026-02-01"}, {"as": "docx"}):
            answer = client.get(address, wrong, follow=True)
            assert answer.status_code == 200
            assert (
                "A report" in answer.content.decode()
                or "The report" in answer.content.decode()
                or ("is no day" in answer.content.decode())
            )


def test_the_tenants_report_is_for_administrators(
    tenant: Tenant, champion: ModelVersion, console_for: ConsoleFor
) -> None:
    address = reverse("admin:report")
    assert console_for(tenant, "approver").get(address).status_code == 403
    page = console_for(tenant).get(address).content.decode()
    assert f"Report on {tenant.name}" in page


def test_a_schedule_from_the_form_to_the_letter(
    tenant: Tenant,
    model: RegisteredModel,
    console_for: ConsoleFor,
    worker_at_once: None,
    django_capture_on_commit_callbacks: Any,
) -> None:
    client = console_for(tenant)
    sent = client.post(add_url("monitoring.reportschedule"), {**SCHEDULE, "model": model.pk}, follow=True)
    assert "See below" in sent.content.decode() or "see below" in sent.content.decode()
    schedule = ReportSchedule.objects.get()
    assert (schedule.model, schedule.files) == (model, "html")
    client.post(command_url(schedule, "edit"), {**SCHEDULE, "model": model.pk, "rhythm": "weekly"})
    schedule.refresh_from_db()
    assert schedule.rhythm == "weekly"
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(command_url(schedule, "send"))
    assert [letter.to for letter in mail.outbox] == [[f"admin@{tenant.slug}.example"]]
    page = client.get(page_url(schedule)).content.decode()
    assert f"admin@{tenant.slug}.example" in page


def test_one_that_was_given_up_stands_on_the_dashboard(
    tenant: Tenant, model: RegisteredModel, console_for: ConsoleFor
) -> None:
    ReportSchedule.objects.create(name="Committee", model=model, last_error="Given up for May.")
    page = console_for(tenant).get(reverse("admin:index")).content.decode()
    assert "The report Committee was not sent" in page


def test_an_address_of_nobody_is_refused_at_its_field(
    tenant: Tenant, model: RegisteredModel, console_for: ConsoleFor
) -> None:
    body = {**SCHEDULE, "model": model.pk, "recipients": "eve@elsewhere.example"}
    page = console_for(tenant).post(add_url("monitoring.reportschedule"), body).content.decode()
    assert "is no member of this tenant" in page
    assert not ReportSchedule.objects.exists()
