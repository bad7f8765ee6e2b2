"""A version's evaluation on its page, on its job's page, over the API, and as a file to take along."""

import re

import pytest
from rest_framework.test import APIClient
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlplatform.admin.links import command_url, page_url
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant
from registry.admin.words import interval_words
from registry.inference.native import predict
from registry.models import ModelVersion
from registry.services.personal import mark_dataset
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_dataset, make_model, make_version
from training.models import TrainingJob
from training.pages.report import report_html
from training.services.configs import checked_config
from training.services.evaluating import Measured, evaluation_of
from training.services.fitting import prepare
from training.services.jobs import create_job
from training.services.tables import Table

ROC, MATRIX, RESIDUALS = "ROC curve", "Confusion matrix", "Residuals"


@pytest.fixture
def version(in_tenant: Tenant) -> ModelVersion:
    return make_version()


@pytest.fixture
def api(version: ModelVersion, api_for: ApiFor) -> APIClient:
    return api_for(version.tenant)


def test_the_page_of_a_version_shows_plots_groups_and_intervals(
    version: ModelVersion, console_for: ConsoleFor
) -> None:
    page = console_for(version.tenant, Role.VIEWER).get(page_url(version)).content.decode()
    for title in (
        ROC,
        MATRIX,
        "Calibration",
        "Gains and lift",
        "By class",
        "By group",
        "Intervals and their",
    ):
        assert title in page
    assert page.count('class="p-svg"') >= 6
    assert str(interval_words(version.evaluation["intervals"]["f1"])) in page
    assert command_url(version, "report") in page


def test_what_moves_the_answers_is_kept_with_the_version_and_shown_through_every_door(
    version: ModelVersion, api: APIClient, console_for: ConsoleFor
) -> None:
    kept = version.evaluation["effects"]
    assert kept["rows"] >= 10
    assert len(kept["features"]) == len(version.features)
    means = [one["mean"] for one in kept["features"]]
    assert means == sorted(means, reverse=True)
    page = console_for(version.tenant, Role.VIEWER).get(page_url(version)).content.decode()
    for text in (page, report_html(version)):
        assert "What moves its answers" in text
        assert f"{kept['rows']} rows held out" in text
        assert "p-level-4" in text
    body = api.get(f"/api/v1/models/{version.model.name}/versions/{version.number}/evaluation").json()
    assert body["effects"] == kept


def test_of_a_personal_column_no_rows_effects_are_kept(in_tenant: Tenant) -> None:
    model, data = make_model(), make_dataset()
    mark_dataset(dataset=data, changes={"worst_area": "pseudonymise"}, by=SYSTEM)
    job = TrainingJob(model=model, dataset=data, config=checked_config(model, None))
    material = prepare(job, Table.of_job(job))
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(*material.training)
    features, target = material.holdout
    classes = ["benign", "malignant"]
    measured = Measured(
        material.problem,
        pipeline,
        classes,
        material.columns,
        features,
        target,
        predict(pipeline, features, classes),
        [],
    )
    found = evaluation_of(measured, checked_config(model, None))["evaluation"]
    kept = {one["feature"]: one["points"] for one in found["effects"]["features"]}
    assert kept["worst_area"] is None
    assert sum(points is not None for points in kept.values()) >= 9


def test_the_page_of_a_job_shows_its_version_s_evaluation(
    version: ModelVersion, console_for: ConsoleFor
) -> None:
    job = create_job(model=version.model, dataset=version.dataset, by=SYSTEM)
    TrainingJob.objects.filter(pk=job.pk).update(version=version, state="succeeded")
    page = console_for(version.tenant, Role.VIEWER).get(page_url(job)).content.decode()
    assert ROC in page


def test_a_regression_shows_its_residuals(in_tenant: Tenant, console_for: ConsoleFor) -> None:
    version = make_version(make_model(data="diabetes"))
    page = console_for(in_tenant, Role.VIEWER).get(page_url(version)).content.decode()
    assert RESIDUALS in page
    assert ROC not in page


def test_a_version_without_an_evaluation_shows_its_page_and_says_so_over_the_api(
    in_tenant: Tenant, console_for: ConsoleFor, api_for: ApiFor
) -> None:
    version = make_version(evaluation={}, conformal=None)
    page = console_for(in_tenant, Role.VIEWER).get(page_url(version)).content.decode()
    assert ROC not in page
    assert command_url(version, "report") not in page
    answer = api_for(in_tenant).get(f"/api/v1/models/cancer/versions/{version.number}/evaluation")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_evaluation")
    assert "Train the model again" in answer.json()["detail"]


def test_the_api_gives_all_figures(api: APIClient, version: ModelVersion) -> None:
    found = api.get("/api/v1/models/cancer/versions/1/evaluation").json()
    assert found["metrics"] == version.metrics
    assert set(found["intervals"]) == set(version.metrics)
    assert found["curves"]["malignant"]["roc"]["area"] == pytest.approx(version.metrics["roc_auc"])
    assert found["rows"] == version.holdout_rows


def test_the_report_is_one_file_that_asks_for_nothing(api: APIClient, version: ModelVersion) -> None:
    answer = api.get("/api/v1/models/cancer/versions/1/report")
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert 'filename="cancer-v1-evaluation.html"' in answer["Content-Disposition"]
    page = answer.content.decode()
    assert ROC in page
    assert version.artifact_hash in page
    assert not re.search(r"""(?:src|href)\s*=|<script|url\(""", page)


def test_words_from_the_data_are_words_in_the_report(in_tenant: Tenant) -> None:
    evil = "<script>alert(1)</script>"
    version = make_version()
    version.evaluation["slices"][0]["value"] = evil
    version.evaluation["confusion"]["labels"][0] = evil
    version.evaluation["dependence"][0]["feature"] = evil
    assert evil not in report_html(version)
