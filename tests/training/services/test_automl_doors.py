"""AutoML through API, command and console: the same settings in the job."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import Dataset, RegisteredModel
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_dataset, make_model
from tests.plugins.application_role import whole_database
from training.models import TrainingJob, Trial
from training.models.trial import TrialState
from training.services.jobs import create_job

COSTS = {"positive": "malignant", "false_positive": 1.0, "false_negative": 9.0}


@pytest.fixture
def ready(tenant: Tenant) -> tuple[RegisteredModel, Dataset]:
    with tenant_scope(tenant), tenant_transaction():
        return make_model(), make_dataset()


AIMED = {"metric": "log_loss", "per_millisecond": 0.002, "ensemble": False}


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


def test_the_api_takes_what_automl_aims_at(
    tenant: Tenant, ready: tuple[RegisteredModel, Dataset], api_for: ApiFor
) -> None:
    asked = {"model": "cancer", "dataset": ready[1].pk, "automl": AIMED}
    assert api_for(tenant).post("/api/v1/jobs", asked).status_code == 201
    assert submitted().config["automl"].items() >= AIMED.items()


def test_the_command_takes_what_automl_aims_at(
    tenant: Tenant, ready: tuple[RegisteredModel, Dataset]
) -> None:
    base = [f"--tenant={tenant.slug}", "--model=cancer", f"--dataset={ready[1].pk}"]
    aims = ["--metric=log_loss", "--per-millisecond=0.002", "--one-model"]
    for aim in aims:
        with pytest.raises(CommandError, match="is for --automl"):
            call_command("train", *base, aim, stdout=io.StringIO())
    call_command("train", *base, "--automl", *aims, stdout=io.StringIO())
    assert submitted().config["automl"].items() >= AIMED.items()


def test_the_form_takes_what_automl_aims_at_and_a_clone_shows_it_again(
    tenant: Tenant, ready: tuple[RegisteredModel, Dataset], console_for: ConsoleFor
) -> None:
    form = {"dataset": ready[1].pk, "search": "automl", "folds": 5, "seed": 0}
    aims = {"aim": "log_loss", "per_millisecond": "0.002", "one_model": "on"}
    client = console_for(tenant, Role.ANALYST)
    address = f"/admin/training/trainingjob/add/?model={ready[0].pk}"
    page = client.post(address, form | aims, follow=True)
    job = submitted()
    assert job.config["automl"].items() >= AIMED.items()
    text = page.content.decode()
    assert "a millisecond of an answer&#x27;s time counts as 0.002" in text
    assert "one model, no ensemble" in text
    again = client.get(f"{address}&like={job.pk}").content.decode()
    assert 'value="0.002"' in again
    assert '<option value="log_loss" selected>' in again


def test_every_door_shows_the_whole_leaderboard(
    tenant: Tenant, ready: tuple[RegisteredModel, Dataset], api_for: ApiFor, console_for: ConsoleFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        job = create_job(model=ready[0], dataset=ready[1], by=SYSTEM, config={"algorithms": ["knn"]})
        Trial.objects.create(
            job=job,
            algorithm="knn",
            metric="roc_auc",
            state=TrialState.COMPLETE,
            rank=1,
            mean=0.91,
            std=0.02,
            fit_seconds=1.5,
            predict_ms=2.5,
            size_bytes=4096,
        )
    (shown,) = api_for(tenant).get(f"/api/v1/jobs/{job.pk}").json()["leaderboard"]
    told = {"rank": 1, "mean": 0.91, "std": 0.02, "fit_seconds": 1.5, "predict_ms": 2.5, "size_bytes": 4096}
    assert shown.items() >= told.items()
    out = io.StringIO()
    call_command("jobs", f"--tenant={tenant.slug}", f"--show={job.pk}", "--json", stdout=out)
    (line,) = json.loads(out.getvalue())["leaderboard"]
    assert line.items() >= told.items()
    page = console_for(tenant, Role.ANALYST).get(f"/admin/training/trainingjob/{job.pk}/change/")
    text = page.content.decode()
    for word in ("0.91", "0.02", "1.5 s", "2.5 ms", "4.0"):
        assert word in text
