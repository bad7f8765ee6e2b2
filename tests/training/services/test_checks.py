"""Data checks of a model's training, from the rows to every door."""

import io
import json

import pytest
from django.core.management import call_command

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import Dataset, RegisteredModel
from registry.services.models import update_model
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_dataset, make_model, table
from tests.training.conftest import QUICK
from training.errors import UnusableData
from training.models import JobState, TrainingJob
from training.services import execution
from training.services.checks import check_for_training
from training.services.claims import claim
from training.services.jobs import create_job, find_job


def leaky() -> Dataset:
    frame = table()
    return make_dataset(frame=frame.assign(treated=(frame["diagnosis"] == "malignant").astype(int)))


def trained(model: RegisteredModel, dataset: Dataset) -> TrainingJob:
    job = create_job(model=model, dataset=dataset, by=SYSTEM, config=QUICK)
    taken = claim(job_id=job.pk)
    assert taken is not None
    execution.run(claim=taken)
    return find_job(job.pk)


@pytest.mark.usefixtures("in_tenant")
class TestJob:
    def test_a_finding_is_kept_and_logged_and_the_training_goes_on(self) -> None:
        job = trained(make_model(), leaky())
        assert job.state == JobState.SUCCEEDED
        found = {one["check"]: one for one in job.findings}
        assert found["target_leakage"]["verdict"] == "warning"
        assert found["target_leakage"]["columns"] == ["treated"]
        assert found["repeated_rows"]["verdict"] == "passed"
        assert job.log.filter(level="warning", message__contains='"treated" alone').exists()

    def test_a_model_that_is_told_so_is_not_trained_on_it(self) -> None:
        model = make_model()
        update_model(model=model, changes={"data_checks": "block"}, by=SYSTEM)
        job = trained(model, leaky())
        assert (job.state, job.error_code) == (JobState.FAILED, "data_checks_failed")
        assert '"treated" alone' in job.error
        assert job.findings
        assert job.version is None

    def test_sound_data_pass_a_strict_model(self) -> None:
        model = make_model()
        update_model(model=model, changes={"data_checks": "block"}, by=SYSTEM)
        assert trained(model, make_dataset()).state == JobState.SUCCEEDED

    def test_other_columns_than_the_latest_versions_are_told(self) -> None:
        first = trained(make_model(), make_dataset())
        fewer = table().drop(columns=["mean_radius", "mean_texture"])
        job = trained(first.model, make_dataset(frame=fewer))
        found = next(one for one in job.findings if one["check"] == "same_schema")
        assert 'gone: "mean_radius", "mean_texture"' in found["message"]

    def test_what_does_not_fit_the_model_is_refused_at_once(self) -> None:
        with pytest.raises(UnusableData, match="has no column"):
            check_for_training(model=make_model(), dataset=make_dataset("diabetes"))

    def test_the_command_lists_every_check(self) -> None:
        shown = io.StringIO()
        arguments = ("--tenant", "clinic", "--model", make_model().name, "--dataset", str(leaky().pk))
        call_command("check_data", *arguments, "--json", stdout=shown)
        found = {one["check"]: one["verdict"] for one in json.loads(shown.getvalue())}
        assert (len(found), found["target_leakage"], found["balance"]) == (14, "warning", "passed")


class TestDoors:
    @pytest.fixture
    def ready(self, tenant: Tenant) -> tuple[RegisteredModel, Dataset]:
        with tenant_scope(tenant), tenant_transaction():
            return make_model(), leaky()

    def test_the_api_checks_without_training(
        self, tenant: Tenant, api_for: ApiFor, ready: tuple[RegisteredModel, Dataset]
    ) -> None:
        answer = api_for(tenant).post("/api/v1/models/cancer/check-data", {"dataset": ready[1].pk})
        assert answer.status_code == 200
        found = {one["check"]: one for one in answer.json()}
        assert found["target_leakage"]["hint"]
        with tenant_scope(tenant), tenant_transaction():
            assert not TrainingJob.objects.exists()

    def test_the_policy_is_changed_over_the_api(
        self, tenant: Tenant, api_for: ApiFor, ready: tuple[RegisteredModel, Dataset]
    ) -> None:
        client = api_for(tenant)
        assert client.patch("/api/v1/models/cancer", {"data_checks": "maybe"}).status_code == 400
        changed = client.patch("/api/v1/models/cancer", {"data_checks": "block"}).json()
        assert (changed["data_checks"], changed["target"]) == ("block", "diagnosis")

    def test_the_jobs_page_shows_what_was_found(
        self, tenant: Tenant, console_for: ConsoleFor, ready: tuple[RegisteredModel, Dataset]
    ) -> None:
        with tenant_scope(tenant):
            job = trained(*ready)
        page = console_for(tenant).get(f"/admin/training/trainingjob/{job.pk}/change/").content.decode()
        assert "Data checks" in page
        assert "The target can be told from" in page
        assert "Warn and train" not in page
        assert "warn and train" in page

    def test_the_jobs_page_counts_what_found_nothing_and_folds_it_away(
        self, tenant: Tenant, console_for: ConsoleFor, ready: tuple[RegisteredModel, Dataset]
    ) -> None:
        with tenant_scope(tenant):
            job = trained(*ready)
        page = console_for(tenant).get(f"/admin/training/trainingjob/{job.pk}/change/").content.decode()
        passed = [one["message"] for one in job.findings if one["verdict"] == "passed"]
        told = len(job.findings) - len(passed)
        assert told > 0
        checks = page.partition("<h2>Data checks")[2].partition("</section>")[0]
        shown, _, folded = checks.partition('<details class="c-fold">')
        assert shown.count("<tr>") == 1 + told
        assert f"<summary>{len(passed)} checks found nothing</summary>" in folded
        assert folded.count("<li>") == len(passed)
        assert "In order" not in checks
