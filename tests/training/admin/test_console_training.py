"""Importing, training and scheduling in the console."""

import html
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from mlplatform.admin.links import command_url, page_url
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import Dataset, RegisteredModel
from tests.conftest import ConsoleFor
from tests.factories import make_dataset, make_model, table
from tests.plugins.application_role import whole_database
from training.models import JobState, RetrainingSchedule, TrainingJob
from training.services.jobs import create_job, find_job, request_cancel
from training.services.schedules import create_schedule
from training.tasks import run_job

DATASETS = "/admin/registry/dataset/"
JOBS = "/admin/training/trainingjob/"
SCHEDULES = "/admin/training/retrainingschedule/"


@pytest.fixture
def ready(tenant: Tenant) -> tuple[RegisteredModel, Dataset]:
    with tenant_scope(tenant), tenant_transaction():
        return make_model(), make_dataset()


def _file(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("rows.csv", text.encode())


def test_a_file_becomes_a_dataset(tenant: Tenant, console_for: ConsoleFor) -> None:
    upload = _file(table().to_csv(index=False))
    page = console_for(tenant, Role.ANALYST).post(
        f"{DATASETS}add/", {"name": "Biopsies", "file": upload}, follow=True
    )
    assert "569 rows" in page.content.decode()
    with whole_database():
        assert Dataset.all_tenants.get().name == "Biopsies"


@pytest.mark.parametrize("text", ["", "a\n1\n", "a,b\n1,2\n3\n", "\x00\x01\x02"])
def test_what_is_no_table_is_refused_in_the_form(tenant: Tenant, console_for: ConsoleFor, text: str) -> None:
    page = console_for(tenant).post(f"{DATASETS}add/", {"name": "Biopsies", "file": _file(text)})
    assert page.status_code == 200
    assert 'role="alert"' in page.content.decode()
    with whole_database():
        assert not Dataset.all_tenants.exists()


def test_algorithms_are_those_of_the_models_problem(
    tenant: Tenant, ready: tuple[RegisteredModel, Dataset], console_for: ConsoleFor
) -> None:
    page = console_for(tenant).get(f"{JOBS}add/?model={ready[0].pk}").content.decode()
    assert 'value="logistic_regression"' in page
    assert 'value="ridge"' not in page


def test_without_a_model_it_is_asked_for_first(
    tenant: Tenant, ready: tuple[RegisteredModel, Dataset], console_for: ConsoleFor
) -> None:
    client = console_for(tenant)
    assert "Train which model?" in client.get(f"{JOBS}add/").content.decode()
    answer = client.post(f"{JOBS}add/?dataset={ready[1].pk}", {"model": ready[0].pk})
    assert f"model={ready[0].pk}" in answer["Location"]
    assert f"dataset={ready[1].pk}" in answer["Location"]


def test_a_job_is_submitted_with_the_chosen_settings(
    tenant: Tenant, ready: tuple[RegisteredModel, Dataset], console_for: ConsoleFor
) -> None:
    form = {"dataset": ready[1].pk, "algorithms": ["ridge", "knn"], "folds": 3, "seed": 7}
    client = console_for(tenant, Role.ANALYST)
    refused = client.post(f"{JOBS}add/?model={ready[0].pk}", form)
    assert "Select a valid choice" in refused.content.decode()
    client.post(f"{JOBS}add/?model={ready[0].pk}", {**form, "algorithms": ["knn"]})
    with whole_database():
        job = TrainingJob.all_tenants.get()
    assert [one["key"] for one in job.config["algorithms"]] == ["knn"]
    assert (job.config["folds"], job.config["seed"]) == (3, 7)
    assert job.created_by == "analyst@clinic.example"


def test_a_search_is_chosen_with_its_budget(
    tenant: Tenant, ready: tuple[RegisteredModel, Dataset], console_for: ConsoleFor
) -> None:
    form = {"dataset": ready[1].pk, "algorithms": ["knn"], "folds": 3, "seed": 7}
    search = {"search": "tpe", "trials": 25, "minutes": 2}
    client = console_for(tenant, Role.ANALYST)
    page = client.post(f"{JOBS}add/?model={ready[0].pk}", {**form, **search}, follow=True).content.decode()
    assert "Search where the good ones lie (TPE), at most 25 trials, 2 min" in page
    with whole_database():
        job = TrainingJob.all_tenants.get()
    assert job.config["search"] == {"method": "tpe", "trials": 25, "seconds": 120, "patience": None}


def test_a_second_job_is_refused_with_what_to_do(
    tenant: Tenant, ready: tuple[RegisteredModel, Dataset], console_for: ConsoleFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        create_job(model=ready[0], dataset=ready[1], by=SYSTEM)
    form = {"dataset": ready[1].pk, "algorithms": ["knn"], "folds": 3, "seed": 0}
    page = console_for(tenant).post(f"{JOBS}add/?model={ready[0].pk}", form)
    assert "Wait for it to end, or cancel it" in page.content.decode()


def test_another_tenants_data_is_no_choice(
    tenant: Tenant, other_tenant: Tenant, ready: tuple[RegisteredModel, Dataset], console_for: ConsoleFor
) -> None:
    with tenant_scope(other_tenant), tenant_transaction():
        theirs = make_dataset("diabetes")
    form = {"dataset": theirs.pk, "algorithms": ["knn"], "folds": 3, "seed": 0}
    page = console_for(tenant).post(f"{JOBS}add/?model={ready[0].pk}", form)
    assert "Select a valid choice" in page.content.decode()
    with whole_database():
        assert not TrainingJob.all_tenants.exists()


def test_a_waiting_job_is_followed_until_it_ends(
    tenant: Tenant, ready: tuple[RegisteredModel, Dataset], console_for: ConsoleFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        job = create_job(model=ready[0], dataset=ready[1], by=SYSTEM)
    client = console_for(tenant, Role.VIEWER)
    fragment = client.get(f"{JOBS}{job.pk}/progress/")
    assert 'hx-trigger="every 2s"' in fragment.content.decode()
    assert "HX-Refresh" not in fragment
    assert "No algorithm has been tried yet" in fragment.content.decode()
    with whole_database():
        TrainingJob.all_tenants.filter(pk=job.pk).update(state=JobState.FAILED, error="Too few rows.")
    fragment = client.get(f"{JOBS}{job.pk}/progress/")
    assert fragment["HX-Refresh"] == "true"
    assert "hx-get" not in fragment.content.decode()
    assert "Too few rows." in fragment.content.decode()


def test_a_job_is_cancelled_once(
    tenant: Tenant, ready: tuple[RegisteredModel, Dataset], console_for: ConsoleFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        job = create_job(model=ready[0], dataset=ready[1], by=SYSTEM)
    client = console_for(tenant)
    client.post(f"{JOBS}{job.pk}/cancel/")
    with whole_database():
        assert TrainingJob.all_tenants.get().state == JobState.CANCELLED
    assert "nothing to cancel" in client.post(f"{JOBS}{job.pk}/cancel/", follow=True).content.decode()


def _schedule(model: RegisteredModel, **changes: object) -> dict[str, object]:
    form = {
        "model": model.pk,
        "name": "Nightly",
        "kind": "cron",
        "cron": "0 3 * * *",
        "timezone": "Europe/Berlin",
    }
    return form | changes


def test_a_schedule_shows_its_next_five_runs(
    tenant: Tenant, ready: tuple[RegisteredModel, Dataset], console_for: ConsoleFor
) -> None:
    page = console_for(tenant).post(f"{SCHEDULES}add/", _schedule(ready[0]), follow=True).content.decode()
    section = page[page.index("Next five runs") :]
    assert section.count("<time") == 5


def test_a_cron_line_that_is_none_is_refused_at_its_field(
    tenant: Tenant, ready: tuple[RegisteredModel, Dataset], console_for: ConsoleFor
) -> None:
    page = console_for(tenant).post(f"{SCHEDULES}add/", _schedule(ready[0], cron="every day"))
    assert "five fields" in page.content.decode()
    with whole_database():
        assert not RetrainingSchedule.all_tenants.exists()


def test_a_schedule_is_edited_paused_resumed_and_deleted(
    tenant: Tenant, ready: tuple[RegisteredModel, Dataset], console_for: ConsoleFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        schedule = create_schedule(model=ready[0], name="Nightly", by=SYSTEM, cron="0 3 * * *")
    client, address = console_for(tenant, Role.OPERATOR), f"{SCHEDULES}{schedule.pk}"
    client.post(
        f"{address}/edit/",
        {"name": "Often", "kind": "interval", "every": 6, "unit": "hours", "timezone": "UTC"},
    )
    client.post(f"{address}/pause/")
    with whole_database():
        schedule.refresh_from_db()
    assert (schedule.name, schedule.every, schedule.enabled) == ("Often", 6, False)
    client.post(f"{address}/resume/")
    with whole_database():
        schedule.refresh_from_db()
    assert schedule.enabled
    client.post(f"{address}/remove/")
    with whole_database():
        assert not RetrainingSchedule.all_tenants.exists()


def test_running_a_schedule_without_a_version_says_why_not(
    tenant: Tenant, ready: tuple[RegisteredModel, Dataset], console_for: ConsoleFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        schedule = create_schedule(model=ready[0], name="Nightly", by=SYSTEM, cron="0 3 * * *")
    page = console_for(tenant).post(f"{SCHEDULES}{schedule.pk}/run/", follow=True)
    assert "has no version yet" in page.content.decode()


def test_a_job_is_cloned_by_its_own_form_filled_in(tenant: Tenant, console_for: ConsoleFor) -> None:
    with tenant_scope(tenant):
        config = {
            "algorithms": [{"key": "decision_tree", "params": {"max_depth": 3}}, {"key": "dummy"}],
            "folds": 3,
            "preprocessing": {"scale": "robust", "rare_share": 0.05},
        }
        job = create_job(model=make_model(), dataset=make_dataset(), config=config, by=SYSTEM)
        request_cancel(job=job, by=SYSTEM)
    client = console_for(tenant)
    address = re.search(r'href="([^"]*like=[^"]*)"', client.get(page_url(job)).content.decode())
    assert address is not None
    page = client.get(html.unescape(address[1]))
    shown = page.context["form"]
    assert shown.initial["algorithms"] == ["decision_tree", "dummy"]
    assert (shown.initial["folds"], shown.initial["scale"]) == (3, "robust")
    sent = {"dataset": job.dataset_id, "algorithms": ["decision_tree"], "folds": 4, "seed": 1}
    client.post(html.unescape(address[1]), sent | {"scale": "quantile"})
    with tenant_scope(tenant):
        clone = TrainingJob.objects.first()
        assert clone is not None
        assert clone.pk != job.pk
        assert clone.config["algorithms"][0]["params"]["max_depth"] == 3
        assert (clone.config["folds"], len(clone.config["algorithms"])) == (4, 1)
        assert clone.config["preprocessing"]["scale"] == "quantile"
        assert clone.config["preprocessing"]["rare_share"] == 0.05
        assert clone.log.get().message == f"Like job {job.pk}, with changes."


def test_a_version_is_reproduced_by_a_button_and_its_page_tells_the_verdict(
    tenant: Tenant, console_for: ConsoleFor
) -> None:
    config = {"algorithms": ["decision_tree"], "folds": 2}
    with tenant_scope(tenant):
        made = create_job(model=make_model(), dataset=make_dataset(), config=config, by=SYSTEM)
        run_job(made.pk, tenant_id=tenant.pk)
        version = find_job(made.pk).version
    assert version is not None
    client = console_for(tenant, Role.ANALYST)
    page = client.post(command_url(version, "reproduce"), follow=True)
    assert "Reproduction of a version" in page.content.decode()
    run_job(made.pk, tenant_id=tenant.pk)
    assert "The same to the last bit" in client.get(page_url(version)).content.decode()
    assert "alike, to the last bit" in client.get(page.redirect_chain[-1][0]).content.decode()
