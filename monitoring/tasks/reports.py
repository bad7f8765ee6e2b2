"""Reports that go out by mail."""

from celery import shared_task

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.tasks import TenantTask, send_for_tenants
from monitoring.models import ReportSchedule
from monitoring.services.report_mail import due_reports, send_report
from monitoring.services.report_schedules import ask_for_report


@shared_task(name="monitoring.send_reports")
def send_reports() -> int:
    """Have every tenant's scheduled reports sent that are due, or due again; return how many."""
    return send_for_tenants(send_report_of, due_reports)


@shared_task(name="monitoring.send_report", base=TenantTask)
def send_report_of(schedule_id: int) -> None:
    """Make one scheduled report and send it."""
    send_report(pk=schedule_id)


def submit_report(*, schedule: ReportSchedule, by: Actor) -> ReportSchedule:
    """Have the report of the period that ended last sent; raises what ``ask_for_report`` raises."""
    with tenant_transaction():
        asked = ask_for_report(schedule=schedule, by=by)
        send_report_of.apply_async_on_commit(args=(asked.pk,), kwargs={"tenant_id": asked.tenant_id})
    return asked
