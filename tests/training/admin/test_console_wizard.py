"""From a dataset's page to a queued training, as an analyst who has nothing else yet."""

import pytest
from django.test import Client

from mlplatform.admin.links import command_url, page_url
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import Dataset, RegisteredModel
from tests.conftest import ConsoleFor
from tests.factories import make_dataset, make_model
from training.models import TrainingJob

ALL_LABELLED = {"target": "diagnosis", "problem_type": "", "name": "tumours"}


@pytest.fixture
def dataset(tenant: Tenant) -> Dataset:
    with tenant_scope(tenant), tenant_transaction():
        return make_dataset()


@pytest.fixture
def analyst(tenant: Tenant, console_for: ConsoleFor) -> Client:
    return console_for(tenant, Role.ANALYST)


def test_three_steps_lead_from_data_to_a_queued_training(
    dataset: Dataset, analyst: Client, tenant: Tenant
) -> None:
    assert command_url(dataset, "train") in analyst.get(page_url(dataset)).content.decode()
    asked = analyst.post(command_url(dataset, "train"), ALL_LABELLED)
    assert asked.status_code == 302
    page = analyst.get(asked["Location"]).content.decode()
    assert "Checks of cancer" in page
    assert "What suits cancer" in page
    assert '<option value="automl" selected>' in page
    how = {"dataset": dataset.pk, "search": "", "algorithms": ["dummy"], "folds": 2, "seed": 0}
    started = analyst.post(asked["Location"], how | {"on_source_failure": "fail"}, follow=True)
    assert "The job is queued" in started.content.decode()
    with tenant_scope(tenant), tenant_transaction():
        job = TrainingJob.objects.select_related("model").get()
        assert (job.model.name, job.model.problem_type, job.dataset_id) == (
            "tumours",
            "classification",
            dataset.pk,
        )


def test_a_model_that_there_is_is_trained_further(dataset: Dataset, analyst: Client, tenant: Tenant) -> None:
    with tenant_scope(tenant), tenant_transaction():
        model = make_model()
    answer = analyst.post(command_url(dataset, "train"), {"model": model.pk})
    assert f"model={model.pk}" in answer["Location"]
    with tenant_scope(tenant):
        assert RegisteredModel.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "give the new one a name"),
        ({"name": "No Name"}, "Use lower-case letters"),
        ({"target": ""}, "choose anomaly_detection"),
        ({"target": "no such column"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_the_form(
    dataset: Dataset, analyst: Client, tenant: Tenant, changes: dict[str, str], said: str
) -> None:
    answer = analyst.post(command_url(dataset, "train"), ALL_LABELLED | changes)
    assert said in answer.content.decode()
    with tenant_scope(tenant):
        assert not RegisteredModel.objects.exists()


def test_what_the_checks_find_is_told_before_the_training(
    analyst: Client, tenant: Tenant, dataset: Dataset
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        model = make_model()
        RegisteredModel.objects.filter(pk=model.pk).update(target="no-such-column")
    page = analyst.get(f"/admin/training/trainingjob/add/?model={model.pk}&dataset={dataset.pk}")
    assert "no-such-column" in page.content.decode()


def test_a_viewer_is_not_led_to_it(dataset: Dataset, tenant: Tenant, console_for: ConsoleFor) -> None:
    viewer = console_for(tenant, Role.VIEWER)
    assert command_url(dataset, "train") not in viewer.get(page_url(dataset)).content.decode()
    assert viewer.get(command_url(dataset, "train")).status_code == 403
