"""Versions side by side: over the API, on a page, by a command."""

import io
import json
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.test import APIClient
from sklearn.dummy import DummyClassifier

from mlplatform.admin.links import command_url, page_url
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant
from registry.models import ModelVersion
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_dataset, make_model, make_version, table, train
from training.errors import NotComparableVersions
from training.models import TrainingJob
from training.services.contenders import of_version
from training.services.jobs import create_job
from training.services.side_by_side import compare

COMPARE = "/api/v1/compare"
JOBS = "/admin/training/trainingjob/"


@pytest.fixture
def good(in_tenant: Tenant) -> ModelVersion:
    return make_version(params={"C": 1.0, "penalty": "l2"})


@pytest.fixture
def poor(good: ModelVersion) -> ModelVersion:
    """A version that always says the same."""
    known = train(good.model, make_dataset())
    frame = table().drop(columns="diagnosis")
    lazy = DummyClassifier(strategy="prior").fit(frame, table()["diagnosis"])
    return make_version(
        good.model,
        pipeline=lazy,
        algorithm="dummy",
        params={"C": 2.0, "penalty": "l2"},
        features=known.features,
    )


@pytest.fixture
def client(in_tenant: Tenant, api_for: ApiFor) -> APIClient:
    return api_for(in_tenant)


def test_the_better_one_is_proven_better_on_rows_that_none_has_seen(
    client: APIClient, good: ModelVersion, poor: ModelVersion
) -> None:
    found = client.get(COMPARE, {"version": [poor.pk, good.pk]}).json()
    assert [one["number"] for one in found["versions"]] == [2, 1]
    assert found["rows"] == good.holdout_rows
    worse, better = found["metrics"]["accuracy"]
    assert better["low"] > worse["high"]
    [test] = found["paired"]
    assert (test["version"], test["against"], test["verdict"]) == (good.pk, poor.pk, "better")
    assert test["mean"] == pytest.approx(better["value"] - worse["value"])
    differing = {line["name"]: line["differs"] for line in found["parameters"]}
    assert (differing["C"], differing["penalty"], differing["algorithm"]) == (True, False, True)


def test_a_version_is_not_proven_better_than_its_twin(good: ModelVersion) -> None:
    twin = make_version(good.model)
    [test] = compare([of_version(good), of_version(twin)]).tests
    assert (test.mean, test.verdict) == (0, "open")


def test_a_job_stands_for_its_version(client: APIClient, good: ModelVersion, poor: ModelVersion) -> None:
    job = create_job(model=good.model, dataset=good.dataset, by=SYSTEM)
    TrainingJob.objects.filter(pk=job.pk).update(version=poor, state="succeeded")
    found = client.get(COMPARE, {"job": job.pk, "version": good.pk}).json()
    assert [one["id"] for one in found["versions"]] == [good.pk, poor.pk]
    assert "training: folds" in {line["name"] for line in found["parameters"]}


def _job(version: ModelVersion, number: int = 1, **changes: Any) -> TrainingJob:
    """A job of the version's model that made none."""
    config = {"algorithms": [{"key": "dummy"}], "folds": 2 + number}
    data = make_dataset(f"more {number}", table().head(500 - number))
    job = create_job(model=version.model, dataset=data, by=SYSTEM, config=config)
    TrainingJob.objects.filter(pk=job.pk).update(**changes)
    job.refresh_from_db()
    return job


def test_a_job_without_a_version_shows_what_it_has(client: APIClient, good: ModelVersion) -> None:
    started = timezone.now()
    job = _job(
        good,
        state="failed",
        error="Too few rows.",
        started_at=started,
        finished_at=started + timedelta(seconds=90),
    )
    found = client.get(COMPARE, {"version": good.pk, "job": job.pk}).json()
    assert [(one["version"], one["job"], one["state"]) for one in found["contenders"]] == [
        (good.pk, None, None),
        (None, job.pk, "failed"),
    ]
    lines = {line["name"]: line["values"] for line in found["training"] + found["data"] + found["parameters"]}
    assert lines["error"] == [None, "Too few rows."]
    assert lines["seconds"] == [None, 90]
    assert lines["rows"] == [569, 499]
    assert lines["training: folds"] == [None, 3]
    assert lines["rows held out"] == [good.holdout_rows, None]
    accuracy, nothing = found["metrics"]["accuracy"]
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    assert nothing == {"value": None, "low": None, "high": None}
    assert found["paired"] == []


def test_jobs_that_made_nothing_yet_are_compared_by_their_best_trials(
    client: APIClient, good: ModelVersion
) -> None:
    first, second = _job(good, 1), _job(good, 2)
    for number, (job, mean) in enumerate([(first, 0.8), (first, 0.9), (second, 0.7)]):
        job.trials.create(
            algorithm="knn", params={"n_neighbors": number}, state="complete", metric="f1", mean=mean, std=0.1
        )
    second.trials.create(algorithm="svm", state="given_up", metric="f1", mean=0.95, std=0.1)
    found = client.get(COMPARE, {"job": [second.pk, first.pk]}).json()
    lines = {line["name"]: line["values"] for line in found["training"] + found["parameters"]}
    assert lines["its mean"] == [0.7, 0.9]
    assert lines["trials"] == [2, 2]
    assert lines["n_neighbors"] == [2, 1]
    assert lines["algorithm"] == ["knn", "knn"]
    assert (found["rows"], found["metrics"]) == (0, {})
    assert "None of these jobs has made a version" in found["caveat"]


def test_the_paired_test_names_the_versions_whatever_stands_between_them(
    client: APIClient, good: ModelVersion, poor: ModelVersion
) -> None:
    job, making = _job(good, 1), _job(good, 2)
    TrainingJob.objects.filter(pk=making.pk).update(version=good, state="succeeded")
    asked: dict[str, list[str | float]] = {"version": [poor.pk], "job": [job.pk, making.pk]}
    found = client.get(COMPARE, asked).json()
    assert [one["version"] for one in found["contenders"]] == [poor.pk, None, good.pk]
    [test] = found["paired"]
    assert (test["version"], test["against"], test["verdict"]) == (good.pk, poor.pk, "better")
    assert [score["value"] is None for score in found["metrics"]["accuracy"]] == [False, True, False]


def test_a_version_named_twice_is_there_once(
    client: APIClient, good: ModelVersion, poor: ModelVersion
) -> None:
    job = _job(good)
    TrainingJob.objects.filter(pk=job.pk).update(version=good, state="succeeded")
    found = client.get(COMPARE, {"version": [good.pk, poor.pk, good.pk], "job": [job.pk, job.pk]}).json()
    assert [one["version"] for one in found["contenders"]] == [good.pk, poor.pk]


def test_jobs_are_selected_in_their_list_and_compared(good: ModelVersion, console_for: ConsoleFor) -> None:
    first, second = _job(good, 1, state="failed", error="Out of memory."), _job(good, 2)
    console = console_for(good.tenant, Role.VIEWER)
    sent = {"action": "compare_selected", "_selected_action": [first.pk, second.pk]}
    page = console.post(JOBS, sent, follow=True).content.decode()
    for words in ("Settings of the training", "Course of the training", "Out of memory.", "20% of the rows"):
        assert words in page
    assert str(second) in page
    assert '"kind"' not in page


@pytest.mark.parametrize("many", [1, 6])
def test_too_few_or_too_many_jobs_are_refused_in_the_list(
    good: ModelVersion, console_for: ConsoleFor, many: int
) -> None:
    jobs = [_job(good, number, state="failed") for number in range(many)]
    sent = {"action": "compare_selected", "_selected_action": [job.pk for job in jobs]}
    page = console_for(good.tenant, Role.VIEWER).post(JOBS, sent, follow=True)
    assert "Select 2 to 5 to compare" in page.content.decode()


def test_a_jobs_page_leads_to_others_of_the_same_question(
    good: ModelVersion, console_for: ConsoleFor
) -> None:
    job, other = _job(good, 1), _job(good, 2)
    elsewhere = create_job(model=make_model(data="diabetes"), dataset=make_dataset("diabetes"), by=SYSTEM)
    console = console_for(good.tenant, Role.VIEWER)
    address = f"{JOBS}compare/?job={job.pk}"
    assert address in console.get(page_url(job)).content.decode()
    page = console.get(address).content.decode()
    assert f'value="{job.pk}" checked' in page
    assert f'value="{other.pk}"' in page
    assert f'value="{elsewhere.pk}"' not in page
    assert f'value="{elsewhere.pk}"' in console.get(f"{JOBS}compare/").content.decode()
    wrong = console.get(f"{address}&job={elsewhere.pk}", follow=True).content.decode()
    assert "different questions" in wrong


def test_versions_are_selected_in_their_list_and_compared(
    good: ModelVersion, poor: ModelVersion, console_for: ConsoleFor
) -> None:
    console = console_for(good.tenant, Role.VIEWER)
    sent = {"action": "compare_selected", "_selected_action": [good.pk, poor.pk]}
    page = console.post("/admin/registry/modelversion/", sent, follow=True).content.decode()
    assert "Is the difference real?" in page
    other = make_version(make_model(data="diabetes"))
    sent = {"action": "compare_selected", "_selected_action": [good.pk, other.pk]}
    page = console.post("/admin/registry/modelversion/", sent, follow=True).content.decode()
    assert "These predict different columns" in page


def test_the_command_compares_jobs_without_naming_a_model(good: ModelVersion) -> None:
    out, first, second = io.StringIO(), _job(good, 1), _job(good, 2)
    jobs = [f"--job={first.pk}", f"--job={second.pk}"]
    call_command("compare", f"--tenant={good.tenant.slug}", *jobs, "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert [one["job"] for one in found["contenders"]] == [first.pk, second.pk]


def test_the_command_demands_the_model_of_a_number(good: ModelVersion) -> None:
    with pytest.raises(CommandError, match="add --model"):
        call_command("compare", f"--tenant={good.tenant.slug}", "--number=1", "--number=2")


def test_numbers_are_compared_by_their_errors(in_tenant: Tenant) -> None:
    first = make_version(make_model(data="diabetes"))
    found = compare([of_version(first), of_version(make_version(first.model))])
    curve = found.errors["diabetes v1"]
    assert np.all(np.diff(curve.x) >= 0)
    assert found.tests[0].verdict == "open"
    assert not found.curves


@pytest.mark.parametrize("asked", [{}, {"version": [1]}, {"version": ["x", "y"]}, {"version": [999_999, 2]}])
def test_what_cannot_be_compared_is_refused(
    client: APIClient, good: ModelVersion, asked: dict[str, list[str | float]]
) -> None:
    assert client.get(COMPARE, asked).status_code in {400, 404, 422}


def test_different_questions_are_not_compared(good: ModelVersion) -> None:
    with pytest.raises(NotComparableVersions, match="different questions"):
        compare([of_version(good), of_version(make_version(make_model(data="diabetes")))])


def test_the_page_offers_others_and_shows_curves_on_one_plot(
    good: ModelVersion, poor: ModelVersion, console_for: ConsoleFor
) -> None:
    console, address = console_for(good.tenant, Role.VIEWER), command_url(good, "compare")
    page = console.get(address).content.decode()
    assert f'value="{poor.pk}"' in page
    assert "ROC curve" not in page
    page = console.get(address, {"with": poor.pk}).content.decode()
    assert "Is the difference real?" in page
    assert page.count("ROC curve") >= 1
    assert "cancer v1" in page
    assert "cancer v2" in page
    assert "differs" in page


def test_the_command_prints_the_comparison(good: ModelVersion, poor: ModelVersion) -> None:
    out = io.StringIO()
    call_command(
        "compare",
        "--tenant",
        good.tenant.slug,
        "--model",
        "cancer",
        "--number",
        "1",
        "--number",
        "2",
        "--json",
        stdout=out,
    )
    assert json.loads(out.getvalue())["paired"][0]["verdict"] == "worse"
