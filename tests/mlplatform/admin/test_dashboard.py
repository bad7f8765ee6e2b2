"""The dashboard: what needs attention, the models, and the first steps."""

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import ModelVersion
from tests.conftest import ConsoleFor
from tests.console import furnish
from tests.factories import make_dataset, make_model, make_version
from training.models import TrainingJob
from training.services.schedules import create_schedule, fire, pause_schedule


def test_an_empty_tenant_is_shown_the_first_steps(tenant: Tenant, console_for: ConsoleFor) -> None:
    page = console_for(tenant).get("/admin/").content.decode()
    for step in ("Import data", "Register a model", "Train it", "Promote the best version"):
        assert step in page


def test_steps_that_are_done_are_ticked(tenant: Tenant, console_for: ConsoleFor) -> None:
    with tenant_scope(tenant), tenant_transaction():
        make_dataset()
    page = console_for(tenant).get("/admin/").content.decode()
    assert page.count("check_circle") == 1


def test_a_viewer_gets_no_links_to_forms(tenant: Tenant, console_for: ConsoleFor) -> None:
    page = console_for(tenant, Role.VIEWER).get("/admin/").content.decode()
    assert "/add/" not in page


def test_a_model_that_nothing_answers_for_needs_attention(tenant: Tenant, console_for: ConsoleFor) -> None:
    with tenant_scope(tenant), tenant_transaction():
        make_version(make_model("triage"))
    assert "triage has no champion" in console_for(tenant).get("/admin/").content.decode()


def test_open_alerts_and_drift_are_on_it(tenant: Tenant, console_for: ConsoleFor) -> None:
    furnish(tenant)
    page = console_for(tenant).get("/admin/").content.decode()
    assert "inputs have drifted" in page
    assert "drifted</span>" in page
    assert "40 today" in page


def failed_job(version: ModelVersion, state: str = "failed") -> TrainingJob:
    return TrainingJob.objects.create(
        model=version.model,
        dataset=version.dataset,
        config={},
        state=state,
        error="Too few rows.",
        finished_at=timezone.now(),
    )


def test_a_failed_job_is_on_it_until_a_later_one_of_its_model_succeeds(
    tenant: Tenant, console_for: ConsoleFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        version = make_version()
        jobs = [failed_job(version), failed_job(version, "errored")]
    client = console_for(tenant)
    page = client.get("/admin/").content.decode()
    assert f"Job {jobs[0].pk} of cancer failed" in page
    assert f"Job {jobs[1].pk} of cancer errored" in page
    assert "Too few rows." in page
    with tenant_scope(tenant), tenant_transaction():
        failed_job(version, "succeeded")
    assert "Too few rows." not in client.get("/admin/").content.decode()


def test_many_troubles_that_were_mended_hide_none_that_was_not(
    tenant: Tenant, console_for: ConsoleFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        stuck = failed_job(make_version(make_model("stuck")))
        mended = make_version(make_model("mended"))
        for _ in range(12):
            failed_job(mended)
        failed_job(mended, "succeeded")
    page = console_for(tenant).get("/admin/").content.decode()
    assert f"Job {stuck.pk} of stuck failed" in page
    assert "of mended failed" not in page


def test_a_schedule_that_could_not_retrain_is_on_it(tenant: Tenant, console_for: ConsoleFor) -> None:
    with tenant_scope(tenant), tenant_transaction():
        schedule = create_schedule(model=make_model(), name="nightly", by=SYSTEM, cron="0 3 * * *")
        fire(schedule_id=schedule.pk, now=timezone.now())
    page = console_for(tenant).get("/admin/").content.decode()
    assert "Schedule nightly did not retrain" in page
    assert "Train it on a dataset first" in page
    with tenant_scope(tenant), tenant_transaction():
        pause_schedule(schedule=schedule, by=SYSTEM)
    assert "did not retrain" not in console_for(tenant).get("/admin/").content.decode()


def test_another_tenants_troubles_are_not(
    tenant: Tenant, other_tenant: Tenant, console_for: ConsoleFor
) -> None:
    furnish(tenant)
    page = console_for(other_tenant).get("/admin/").content.decode()
    assert "cancer" not in page
    assert "Nothing. No open alerts" in page


def test_it_asks_no_more_of_the_database_for_more_models(tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant)
    counts = []
    for batch in ("first", "second"):
        with tenant_scope(tenant), tenant_transaction():
            for number in range(5):
                make_model(f"{batch}-{number}")
        with CaptureQueriesContext(connection) as queries:
            client.get("/admin/")
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] < 45
