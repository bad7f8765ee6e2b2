"""How a training is measured, chosen in the console's form of a job and shown on the pages after it."""

from typing import Any

import pytest
from django.test import Client

from mlplatform.admin.links import command_url, page_url
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.models import Dataset, RegisteredModel
from registry.services.models import create_model
from registry.services.personal import mark_dataset
from tests.conftest import ConsoleFor
from tests.factories import make_dataset
from tests.training.services.test_splits import visits
from training.models import TrainingJob
from training.services import execution
from training.services.claims import claim
from training.services.jobs import create_job

ADD = "/admin/training/trainingjob/add/"

pytestmark = pytest.mark.usefixtures("in_tenant")


@pytest.fixture
def data() -> Dataset:
    return make_dataset("visits", visits())


@pytest.fixture
def model() -> RegisteredModel:
    return create_model(name="illness", problem_type="classification", target="ill", by=SYSTEM)


@pytest.fixture
def analyst(tenant: Tenant, console_for: ConsoleFor) -> Client:
    return console_for(tenant, Role.ANALYST)


def _send(analyst: Client, model: RegisteredModel, data: Dataset, **chosen: Any) -> str:
    sent = {"dataset": data.pk, "algorithms": ["dummy"], "folds": 2, "seed": 0} | chosen
    address = f"{ADD}?model={model.pk}&dataset={data.pk}"
    return analyst.post(address, sent, follow=True).content.decode()


@pytest.mark.parametrize(
    ("chosen", "stored", "shown"),
    [
        ({}, (None, 0.2), "20% of the rows, by chance"),
        ({"holdout": 35}, (None, 0.35), "35% of the rows, by chance"),
        (
            {"split": "group", "split_column": "ward"},
            ({"kind": "group", "column": "ward"}, 0.2),
            "20% of the rows, whole groups by ward",
        ),
        (
            {"split": "time", "split_column": "seen", "holdout": 10},
            ({"kind": "time", "column": "seen"}, 0.1),
            "10% of the rows, the newest by seen",
        ),
    ],
)
def test_the_rows_held_out_are_chosen_and_shown_on_the_jobs_page(
    analyst: Client,
    model: RegisteredModel,
    data: Dataset,
    chosen: dict[str, Any],
    stored: tuple[Any, float],
    shown: str,
) -> None:
    assert shown in _send(analyst, model, data, **chosen)
    job = TrainingJob.objects.get()
    assert (job.config["split"], job.config["holdout"]) == stored


def test_groups_to_compare_are_chosen_and_shown(
    analyst: Client, model: RegisteredModel, data: Dataset
) -> None:
    page = _send(analyst, model, data, fairness=["ward", "value"], favourable="no")
    assert "By ward, value; hoped for: no" in page
    assert TrainingJob.objects.get().config["fairness"] == {"columns": ["ward", "value"], "favourable": "no"}


@pytest.mark.parametrize(
    ("chosen", "field", "words"),
    [
        ({"split": "group"}, "split_column", "which rows belong together"),
        ({"split": "time"}, "split_column", "when a row came to be"),
        ({"split_column": "ward"}, "split_column", "By chance needs no column"),
        ({"split": "time", "split_column": "value"}, "split", "holds no dates"),
        ({"split": "group", "split_column": "elsewhere"}, "split_column", "Select a valid choice"),
        ({"holdout": 90}, "holdout", "less than or equal to 50"),
        ({"favourable": "no"}, "fairness", "Choose the columns"),
        ({"fairness": ["elsewhere"]}, "fairness", "Select a valid choice"),
    ],
)
def test_what_makes_no_sense_is_told_at_its_field(
    analyst: Client,
    model: RegisteredModel,
    data: Dataset,
    chosen: dict[str, Any],
    field: str,
    words: str,
) -> None:
    sent = {"dataset": data.pk, "algorithms": ["dummy"], "folds": 2, "seed": 0} | chosen
    answer = analyst.post(f"{ADD}?model={model.pk}&dataset={data.pk}", sent)
    assert words in " ".join(answer.context["form"].errors[field])
    assert not TrainingJob.objects.exists()


def test_a_personal_column_is_refused_at_its_field(
    analyst: Client, model: RegisteredModel, data: Dataset
) -> None:
    mark_dataset(dataset=data, changes={"ward": "pseudonymise"}, by=SYSTEM)
    sent = {"dataset": data.pk, "algorithms": ["dummy"], "folds": 2, "seed": 0, "fairness": ["ward"]}
    answer = analyst.post(f"{ADD}?model={model.pk}", sent)
    assert "Personal: ward" in " ".join(answer.context["form"].errors["fairness"])


def test_columns_of_the_chosen_data_are_offered_with_their_types_but_not_the_target(
    analyst: Client, model: RegisteredModel, data: Dataset
) -> None:
    make_dataset("cancer")
    form = analyst.get(f"{ADD}?model={model.pk}&dataset={data.pk}").context["form"]
    offered = dict(form.fields["split_column"].choices)
    assert offered == {
        "": "None",
        "ward": "ward (category)",
        "seen": "seen (date)",
        "value": "value (numeric)",
    }
    # Without a choice of data: the columns of what has the model's target.
    form = analyst.get(f"{ADD}?model={model.pk}").context["form"]
    assert dict(form.fields["split_column"].choices) == offered


def test_columns_of_another_tenants_data_are_no_choice(
    analyst: Client, model: RegisteredModel, other_tenant: Tenant
) -> None:
    with tenant_scope(other_tenant):
        theirs = make_dataset("visits", visits())
    form = analyst.get(f"{ADD}?model={model.pk}&dataset={theirs.pk}").context["form"]
    assert form.fields["fairness"].choices == []


def test_a_clone_shows_the_measures_of_the_job_it_is_like(
    analyst: Client, model: RegisteredModel, data: Dataset
) -> None:
    config = {
        "algorithms": [{"key": "dummy"}],
        "split": {"kind": "group", "column": "ward"},
        "holdout": 0.3,
        "fairness": {"columns": ["value"], "favourable": "no"},
    }
    job = create_job(model=model, dataset=data, config=config, by=SYSTEM)
    address = f"{ADD}?model={model.pk}&like={job.pk}"
    initial = analyst.get(address).context["form"].initial
    assert (initial["split"], initial["split_column"], initial["holdout"]) == ("group", "ward", 30)
    assert (initial["fairness"], initial["favourable"]) == (["value"], "no")
    TrainingJob.objects.filter(pk=job.pk).update(state="failed")
    sent = {"dataset": data.pk, "algorithms": ["dummy"], "folds": 2, "seed": 0}
    analyst.post(address, sent)  # taken away in the form: no longer so
    clone = TrainingJob.objects.exclude(pk=job.pk).get()
    assert (clone.config["split"], clone.config["fairness"], clone.config["holdout"]) == (None, None, 0.2)


def test_a_versions_page_and_report_tell_how_it_was_measured(analyst: Client, model: RegisteredModel) -> None:
    data = make_dataset("visits", visits(600))
    config = {
        "algorithms": [{"key": "logistic_regression"}],
        "folds": 2,
        "split": {"kind": "time", "column": "seen"},
        "fairness": {"columns": ["ward"], "favourable": "no"},
    }
    job = create_job(model=model, dataset=data, config=config, by=SYSTEM)
    taken = claim(job_id=job.pk)
    assert taken is not None
    execution.run(claim=taken)
    job.refresh_from_db()
    assert job.version is not None, job.error
    page = analyst.get(page_url(job.version)).content.decode()
    report = analyst.get(command_url(job.version, "report")).content.decode()
    cutoff = job.version.split["cutoff"][:10]
    for text in (page, report):
        assert f"20% of the rows, the newest by seen, from {cutoff} on" in text
        assert "By ward; hoped for: no" in text
