"""Anomalies and clusters through the whole loop, as a program sees it."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from django.test import Client
from rest_framework.test import APIClient

from mlplatform.admin.links import command_url, page_url
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from monitoring.models import DriftReport
from monitoring.services.checks import run_checks
from registry.models import ModelVersion, Prediction, RegisteredModel
from registry.services.personal import mark_dataset
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_dataset
from training.services.datasets import retraining_dataset
from training.tasks import run_job


def machines() -> pd.DataFrame:
    """Return 240 readings of machines of two makes; 40 faulty ones are far off in heat."""
    rng = np.random.default_rng(7)
    make = np.repeat(["lathe", "press"], 120)
    faulty = np.zeros(240, dtype=int)
    faulty[rng.choice(240, 40, replace=False)] = 1
    heat = np.where(make == "lathe", 40.0, 80.0) + rng.normal(0, 1, 240) + 30 * faulty
    speed = np.where(make == "lathe", 10.0, 30.0) + rng.normal(0, 1, 240)
    return pd.DataFrame({"heat": heat.round(3), "speed": speed.round(3), "faulty": faulty})


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    """A client with every scope of the clinic."""
    return api_for(tenant)


class Loop:
    """One model's way from its data to its answers."""

    def __init__(self, client: APIClient, tenant: Tenant) -> None:
        self.client, self.tenant = client, tenant

    def train(self, frame: pd.DataFrame, model: dict[str, str], algorithms: list[Any]) -> dict[str, Any]:
        """Register the model, train and promote it; return the finished job."""
        with tenant_scope(self.tenant), tenant_transaction():
            dataset = make_dataset(frame=frame).pk
        assert self.client.post("/api/v1/models", model).status_code == 201
        return self.again(dataset, model["name"], algorithms)

    def again(self, dataset: int, model: str, algorithms: list[Any]) -> dict[str, Any]:
        """Train once more and promote what comes of it."""
        chosen = [{"key": one} if isinstance(one, str) else one for one in algorithms]
        body = {"model": model, "dataset": dataset, "algorithms": chosen, "folds": 2}
        queued = self.client.post("/api/v1/jobs", body)
        assert queued.status_code == 201, queued.json()
        run_job(queued.json()["id"], tenant_id=self.tenant.pk)
        done: dict[str, Any] = self.client.get(f"/api/v1/jobs/{queued.json()['id']}").json()
        assert done["state"] == "succeeded", done
        promoted = self.client.post(f"/api/v1/models/{model}/promote", {"version": done["version"]})
        assert promoted.status_code == 200, promoted.json()
        return done

    def version(self, model: str, number: int = 1) -> dict[str, Any]:
        """Return the version in full."""
        found: dict[str, Any] = self.client.get(f"/api/v1/models/{model}/versions/{number}").json()
        return found

    def ask(self, model: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the answers."""
        answered = self.client.post(f"/api/v1/models/{model}/predict", {"rows": rows})
        assert answered.status_code == 200, answered.json()
        answers: list[dict[str, Any]] = answered.json()["predictions"]
        return answers

    def gate(self, model: str, number: int) -> dict[str, Any]:
        """Return the verdict on the comparison with the champion."""
        gates = self.client.get(f"/api/v1/models/{model}/gates/{number}").json()["gates"]
        found: dict[str, Any] = next(gate for gate in gates if gate["name"] == "not_worse_than_champion")
        return found

    def check(self, model: str) -> list[str]:
        """Run the checks; return their notes."""
        with tenant_scope(self.tenant), tenant_transaction():
            return run_checks(model=RegisteredModel.objects.get(name=model), by=SYSTEM).notes


@pytest.fixture
def loop(client: APIClient, tenant: Tenant) -> Loop:
    """Work for the clinic."""
    return Loop(client, tenant)


def test_known_anomalies_rank_detectors_and_outcomes_measure_them(loop: Loop) -> None:
    model = {"name": "faults", "problem_type": "anomaly_detection", "target": "faulty"}
    done = loop.train(
        machines(),
        model,
        [
            {"key": key, "params": {"contamination": 0.2}}
            for key in ("local_outlier_factor", "elliptic_envelope")
        ],
    )
    assert [line["metric"] for line in done["leaderboard"]] == ["average_precision"] * 2
    version = loop.version("faults")
    assert version["metrics"]["roc_auc"] > 0.95
    assert 0 < version["metrics"]["share_flagged"] < 0.5
    assert {column["name"] for column in version["features"]} == {"heat", "speed"}

    rows = [{"heat": 40.0, "speed": 10.0}, {"heat": 140.0, "speed": 10.0}] * 20
    usual, odd = loop.ask("faults", rows)[:2]
    assert (usual["label"], usual["is_anomaly"], odd["label"], odd["is_anomaly"]) == (
        *("normal", False),
        *("anomaly", True),
    )
    assert 0 <= usual["score"] < odd["score"] <= 1
    assert usual["probabilities"] is None

    reported = [{"prediction": usual["id"], "value": False}, {"prediction": odd["id"], "value": "yes"}]
    assert loop.client.post("/api/v1/outcomes", {"outcomes": reported}).status_code == 201
    wrong = [{"prediction": odd["id"], "value": "perhaps"}]
    refused = loop.client.post("/api/v1/outcomes", {"outcomes": wrong})
    assert "whether the row was an anomaly" in str(refused.json())
    realized = loop.client.get("/api/v1/models/faults/performance").json()
    assert (realized["labelled"], realized["metrics"]["roc_auc"]) == (2, 1.0)
    quality, drift, *_ = loop.check("faults")
    assert "Average precision is 1.000" in quality
    assert drift.startswith("Drift: 2 of 2 features")
    with tenant_scope(loop.tenant), tenant_transaction():
        assert DriftReport.objects.get().results.filter(feature="prediction").exists()
        again = retraining_dataset(model=RegisteredModel.objects.get(name="faults"), by=SYSTEM)
        assert (again.origin["rows_added"], again.rows) == (2, 242)
        column = next(one for one in again.columns if one["name"] == "faulty")
    assert column["type"] == "integer"

    loop.again(again.pk, "faults", ["local_outlier_factor"])
    assert "average precision" in loop.gate("faults", 1)["detail"]


@pytest.mark.any_database
def test_without_labels_the_steadiest_detector_leads_and_the_gate_says_what_it_cannot_judge(
    loop: Loop,
) -> None:
    model = {"name": "odd", "problem_type": "anomaly_detection"}
    done = loop.train(machines().drop(columns="faulty"), model, ["isolation_forest", "local_outlier_factor"])
    assert {line["metric"] for line in done["leaderboard"]} == {"rank_stability"}
    assert loop.version("odd")["metrics"]["rank_stability"] > 0.5
    loop.again(done["dataset"], "odd", [{"key": "isolation_forest", "params": {"contamination": 0.06}}])
    gate = loop.gate("odd", 1)
    assert gate["passed"]
    assert "nobody can tell which version is right" in gate["detail"]

    flood = {"key": "isolation_forest", "params": {"contamination": 0.5}}
    body = {"model": "odd", "dataset": done["dataset"], "algorithms": [flood], "folds": 2}
    queued = loop.client.post("/api/v1/jobs", body).json()
    run_job(queued["id"], tenant_id=loop.tenant.pk)
    assert not loop.gate("odd", 3)["passed"]


@pytest.mark.any_database
def test_clusters_are_found_answered_compared_and_watched(loop: Loop) -> None:
    model = {"name": "makes", "problem_type": "clustering"}
    frame = machines().query("faulty == 0").drop(columns="faulty")
    done = loop.train(frame, model, ["kmeans", "gaussian_mixture"])
    version = loop.version("makes")
    assert version["metrics"]["silhouette"] > 0.8
    assert version["metrics"]["stability"] > 0.9
    assert version["metrics"]["clusters"] == 2

    rows = [{"heat": 40.0, "speed": 10.0}, {"heat": 80.0, "speed": 30.0}] * 20
    lathe, press = loop.ask("makes", rows)[:2]
    assert {lathe["cluster"], press["cluster"]} == {"cluster 1", "cluster 2"}
    assert 0 <= lathe["distance"] < 1
    told = [{"prediction": lathe["id"], "value": "cluster 2"}]
    refused = loop.client.post("/api/v1/outcomes", {"outcomes": told})
    assert refused.status_code == 422
    assert "no right answer" in str(refused.json())

    quality, _, *_ = loop.check("makes")
    assert "no right answer" in quality
    with tenant_scope(loop.tenant), tenant_transaction():
        assert Prediction.objects.filter(label="cluster 1", value__isnull=False).count() == 20
        again = retraining_dataset(model=RegisteredModel.objects.get(name="makes"), by=SYSTEM)
        assert again.rows == len(frame) + 40
    loop.again(done["dataset"], "makes", [{"key": "kmeans", "params": {"n_clusters": 2}}])
    worse = {"key": "kmeans", "params": {"n_clusters": 9}}
    body = {"model": "makes", "dataset": done["dataset"], "algorithms": [worse], "folds": 2}
    run_job(loop.client.post("/api/v1/jobs", body).json()["id"], tenant_id=loop.tenant.pk)
    gate = loop.gate("makes", 3)
    assert (gate["passed"], "silhouette" in gate["detail"]) == (False, True)


def _doors(loop: Loop, console: Client, model: str) -> tuple[dict[str, Any], list[str]]:
    """Return the evaluation over the API, and the texts of the version's page and report."""
    body = loop.client.get(f"/api/v1/models/{model}/versions/1/evaluation").json()
    with tenant_scope(loop.tenant), tenant_transaction():
        version = ModelVersion.objects.get(model__name=model)
        addresses = page_url(version), command_url(version, "report")
    return body, [console.get(address).content.decode() for address in addresses]


def test_clusters_have_portraits_through_every_door(loop: Loop, console_for: ConsoleFor) -> None:
    model = {"name": "makes", "problem_type": "clustering", "target": ""}
    kmeans = {"key": "kmeans", "params": {"n_clusters": 2}}
    loop.train(machines().drop(columns="faulty"), model, [kmeans])
    body, texts = _doors(loop, console_for(loop.tenant, Role.VIEWER), "makes")
    assert {one["name"] for one in body["clusters"]} == {"cluster 1", "cluster 2"}
    assert {trait["feature"] for one in body["clusters"] for trait in one["traits"]} == {"heat", "speed"}
    for text in texts:
        assert "Portraits of the clusters" in text
        assert "The dashed line is the mean" in text
        assert "<polygon" in text
        assert "(all: " in text


def test_anomalies_have_their_scores_and_rows_through_every_door(loop: Loop, console_for: ConsoleFor) -> None:
    model = {"name": "faults", "problem_type": "anomaly_detection", "target": ""}
    forest = {"key": "isolation_forest", "params": {"contamination": 0.2}}
    loop.train(machines().drop(columns="faulty"), model, [forest])
    body, texts = _doors(loop, console_for(loop.tenant, Role.VIEWER), "faults")
    found = body["anomalies"]
    assert sum(found["counts"]) == body["rows"]
    assert found["flagged"] == sum(row["score"] > found["threshold"] for row in found["rows"]) or (
        found["flagged"] > len(found["rows"])
    )
    assert set(found["rows"][0]["values"]) == {"heat", "speed"}
    for text in texts:
        assert "Most unusual rows" in text
        assert "are called anomalies" in text
        assert ">threshold</text>" in text


def test_personal_columns_are_in_no_portrait(loop: Loop, console_for: ConsoleFor) -> None:
    with tenant_scope(loop.tenant), tenant_transaction():
        frame = machines().drop(columns="faulty")
        mark_dataset(dataset=make_dataset(frame=frame), changes={"heat": "pseudonymise"}, by=SYSTEM)
    model = {"name": "makes", "problem_type": "clustering", "target": ""}
    loop.train(frame, model, [{"key": "kmeans", "params": {"n_clusters": 2}}])
    body, _ = _doors(loop, console_for(loop.tenant, Role.VIEWER), "makes")
    assert {trait["feature"] for one in body["clusters"] for trait in one["traits"]} == {"speed"}
