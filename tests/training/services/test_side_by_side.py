"""Versions side by side: over the API, on a page, by a command."""

import io
import json

import numpy as np
import pytest
from django.core.management import call_command
from rest_framework.test import APIClient
from sklearn.dummy import DummyClassifier

from mlplatform.admin.links import command_url
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant
from registry.models import ModelVersion
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_dataset, make_model, make_version, table, train
from training.errors import NotComparableVersions
from training.models import TrainingJob
from training.services.jobs import create_job
from training.services.side_by_side import compare

COMPARE = "/api/v1/compare"


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
    [test] = compare([good, twin]).tests
    assert (test.mean, test.verdict) == (0, "open")


def test_a_job_stands_for_its_version(client: APIClient, good: ModelVersion, poor: ModelVersion) -> None:
    job = create_job(model=good.model, dataset=good.dataset, by=SYSTEM)
    assert client.get(COMPARE, {"job": job.pk, "version": good.pk}).json()["code"] == "not_comparable"
    TrainingJob.objects.filter(pk=job.pk).update(version=poor, state="succeeded")
    found = client.get(COMPARE, {"job": job.pk, "version": good.pk}).json()
    assert [one["id"] for one in found["versions"]] == [good.pk, poor.pk]
    assert "training: folds" in {line["name"] for line in found["parameters"]}


def test_numbers_are_compared_by_their_errors(in_tenant: Tenant) -> None:
    first = make_version(make_model(data="diabetes"))
    found = compare([first, make_version(first.model)])
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
        compare([good, make_version(make_model(data="diabetes"))])


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
