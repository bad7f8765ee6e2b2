"""AutoML through API, command and console: the same settings in the job."""

import io

import pytest
from django.core.management import CommandError, call_command

from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import Dataset, RegisteredModel
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_dataset, make_model
from tests.plugins.application_role import whole_database
from training.models import TrainingJob

COSTS = {"positive": "malignant", "false_positive": 1.0, "false_negative": 9.0}


@pytest.fixture
def ready(tenant: Tenant) -> tuple[RegisteredModel, Dataset]:
    with tenant_scope(tenant), tenant_transaction():
        return make_model(), make_dataset()


def submitted() -> TrainingJob:
    with whole_database():
        return TrainingJob.all_tenants.get()


def check(job: TrainingJob) -> None:
    assert job.config["automl"]["seconds"] == 120
    assert job.config["preprocessing"] == {"encode": "target", "balance": "over"}
    assert job.config["calibrate"] == "sigmoid"
    costs = job.config["threshold"]["costs"]
    assert {name: costs[name] for name in COSTS} == COSTS
    assert {"lightgbm", "logistic_regression"} & {one["key"] for one in job.config["algorithms"]}


def test_one_call(tenant: Tenant, ready: tuple[RegisteredModel, Dataset], api_for: ApiFor) -> None:
    asked = {
        "model": "cancer",
        "dataset": ready[1].pk,
        "automl": {"seconds": 120},
        "preprocessing": {"encode": "target", "balance": "over"},
        "calibrate": "sigmoid",
        "threshold": {"costs": COSTS},
    }
    refused = api_for(tenant).post("/api/v1/jobs", {**asked, "automl": {"seconds": 1}})
    assert refused.status_code in {400, 422}
    assert api_for(tenant).post("/api/v1/jobs", asked).status_code == 201
    check(submitted())


def test_one_command(tenant: Tenant, ready: tuple[RegisteredModel, Dataset]) -> None:
    base = [f"--tenant={tenant.slug}", "--model=cancer", f"--dataset={ready[1].pk}", "--automl"]
    with pytest.raises(CommandError, match="searches by itself"):
        call_command("train", *base, "--search=tpe", stdout=io.StringIO())
    call_command(
        "train",
        *base,
        "--seconds=120",
        "--prepare=encode=target",
        "--prepare=balance=over",
        "--calibrate=sigmoid",
        "--costs=positive=malignant,false_positive=1,false_negative=9",
        stdout=io.StringIO(),
    )
    check(submitted())


def test_one_button(tenant: Tenant, ready: tuple[RegisteredModel, Dataset], console_for: ConsoleFor) -> None:
    form = {
        "dataset": ready[1].pk,
        "search": "automl",
        "minutes": 2,
        "folds": 5,
        "seed": 0,
        "encode": "target",
        "balance": "over",
        "calibrate": "sigmoid",
        "threshold": "costs",
        **COSTS,
    }
    client = console_for(tenant, Role.ANALYST)
    page = client.post(f"/admin/training/trainingjob/add/?model={ready[0].pk}", form, follow=True)
    check(submitted())
    text = page.content.decode()
    assert "AutoML, 2 min for everything" in text
    assert "a false alarm costs 1, a miss 9" in text
    assert "always taken from other rows" in text
