"""Checks, quality, drift and policy below a model."""

import pytest
from rest_framework.test import APIClient

from mlplatform.tenancy.models import Tenant
from registry.models import RegisteredModel
from tests.conftest import ApiFor
from tests.factories import make_model
from tests.monitoring.conftest import Ask, tell

URL = "/api/v1/models/cancer"


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    """A key with every right."""
    return api_for(tenant)


def test_a_check_shows_what_it_found_and_did(client: APIClient, model: RegisteredModel, ask: Ask) -> None:
    tell(ask(60, drifted=20))
    body = client.post(f"{URL}/checks").json()
    assert (body["model"], body["version"]) == ("cancer", 1)
    assert body["drift"]["drifted_features"] == 20
    assert body["performance"]["labelled"] == 60
    assert [alert["severity"] for alert in body["alerts_raised"]] == ["critical"]
    assert body["decision"]["state"] == "training"
    assert body["decision"]["job"] is not None
    assert len(body["notes"]) == 4


def test_no_verdict_is_null_with_a_note(client: APIClient, model: RegisteredModel) -> None:
    body = client.post(f"{URL}/checks").json()
    assert (body["drift"], body["performance"], body["decision"]) == (None, None, None)
    assert "0 of 30 rows" in body["notes"][1]


def test_nothing_deployed_is_a_conflict(client: APIClient, in_tenant: Tenant) -> None:
    make_model()
    assert client.post(f"{URL}/checks").json()["code"] == "nothing_deployed"
    assert client.get(f"{URL}/performance").status_code == 409


def test_quality_is_measured_live(client: APIClient, model: RegisteredModel, ask: Ask) -> None:
    tell(ask(10))
    body = client.get(f"{URL}/performance").json()
    assert (body["labelled"], body["metrics"]["accuracy"], body["primary_metric"]) == (10, 1.0, "f1")
    assert body["holdout_metrics"]["f1"] > 0.8
    future = client.get(f"{URL}/performance?since=2100-01-01T00:00:00Z&until=2100-01-02T00:00:00Z").json()
    assert (future["predictions"], future["metrics"]) == (0, {})


@pytest.mark.parametrize(
    ("query", "status"), [("since=now", 400), ("sinc=2020", 400), ("until=2020-01-01", 422)]
)
def test_a_window_that_is_none_is_refused(
    client: APIClient, model: RegisteredModel, query: str, status: int
) -> None:
    assert client.get(f"{URL}/performance?{query}").status_code == status


def test_drift_shows_each_feature(client: APIClient, model: RegisteredModel, ask: Ask) -> None:
    assert client.get(f"{URL}/drift").json()["code"] == "no_drift_report"
    ask(40, drifted=3)
    client.post(f"{URL}/checks")
    results = client.get(f"{URL}/drift").json()["results"]
    assert len(results) == 31
    ranks = [(row["cost"], row["score"]) for row in results]
    assert ranks == sorted(ranks, reverse=True)


def test_the_policy_is_read_and_changed(client: APIClient, model: RegisteredModel) -> None:
    assert client.get(f"{URL}/policy").json()["on_success"] == "promote"
    changed = client.put(f"{URL}/policy", {"on_success": "tell", "minimum_outcomes": 7}).json()
    assert (changed["on_success"], changed["minimum_outcomes"], changed["enabled"]) == ("tell", 7, True)
    assert client.put(f"{URL}/policy", {"on_sucess": "tell"}).status_code == 400
    assert client.put(f"{URL}/policy", {"minimum_outcomes": 10**12}).status_code in {400, 422}


@pytest.mark.parametrize("path", ["performance", "drift", "policy"])
def test_another_tenants_model_does_not_exist(
    other_tenant: Tenant, api_for: ApiFor, model: RegisteredModel, path: str
) -> None:
    assert api_for(other_tenant).get(f"{URL}/{path}").status_code == 404


def test_reading_is_not_acting(tenant: Tenant, api_for: ApiFor, model: RegisteredModel) -> None:
    reader = api_for(tenant, "read")
    assert reader.get(f"{URL}/policy").status_code == 200
    assert reader.put(f"{URL}/policy", {"enabled": False}).status_code == 403
    assert reader.post(f"{URL}/checks").status_code == 403


def test_the_drift_report_tells_measures_words_and_the_rule(
    client: APIClient, model: RegisteredModel, ask: Ask
) -> None:
    ask(60, drifted=3)
    body = client.post(f"{URL}/checks").json()["drift"]
    assert body["alarm"] is True
    assert body["terms"] == {"rule": "calibrated", "false_alarms_a_month": 1.0}
    assert "1 false alarm a month" in body["rule"]
    (first, *_) = [one for one in body["results"] if one["drifted"]]
    assert first["measures"]["psi"] == first["score"]
    assert first["p_value"] < 0.01
    assert any("middle value went up" in said for one in body["results"] for said in one["words"])
    costs = [one["cost"] for one in body["results"]]
    assert costs == sorted(costs, reverse=True)


def test_drift_settings_are_read_and_changed(client: APIClient, model: RegisteredModel) -> None:
    assert client.get(f"{URL}/drift-settings").json()["rule"] == "calibrated"
    changed = client.put(f"{URL}/drift-settings", {"rule": "classic", "psi_limit": 0.25}, format="json")
    assert (changed.json()["rule"], changed.json()["psi_limit"]) == ("classic", 0.25)
    assert client.get(f"{URL}/drift-settings").json()["psi_limit"] == 0.25
    refused = client.put(f"{URL}/drift-settings", {"drift_share": 7}, format="json")
    assert refused.status_code == 422
    assert "drift_share" in refused.json()["errors"]


def test_quality_over_a_period_tells_each_version_and_its_trend(
    client: APIClient, model: RegisteredModel, ask: Ask
) -> None:
    tell(ask(20))
    body = client.get(f"{URL}/quality?metric=accuracy").json()
    (version,) = body["versions"]
    assert (version["version"], version["roles"], version["labelled"]) == (1, ["champion"], 20)
    assert version["metrics"]["accuracy"]["value"] == 1.0
    assert body["trends"][0]["steps"][0]["realized"]["value"] == 1.0
    assert client.get(f"{URL}/quality?metric=rmse").json()["errors"]["metric"]


def test_everything_measured_can_be_asked_over_a_period_and_by_slice(
    client: APIClient, model: RegisteredModel, ask: Ask
) -> None:
    answer = client.put(f"{URL}/slices", {"slices": {"mean_radius": [14]}}, format="json")
    assert answer.json()["slices"] == {"mean_radius": ["below 14", "14 and above", "missing"]}
    tell(ask(20))
    for name in ("quality", "calibration", "data-quality", "service"):
        assert client.get(f"{URL}/{name}").status_code == 200, name
        part = "column=mean_radius&value=below 14"
        assert client.get(f"{URL}/{name}?{part}").status_code == 200, name
        unknown = client.get(f"{URL}/{name}?column=mean_radius&value=x")
        assert (unknown.status_code, "value" in unknown.json()["errors"]) == (422, True), name
        assert client.get(f"{URL}/{name}?column=mean_radius").status_code == 400, name
    assert client.get(f"{URL}/fairness").json()[0]["column"] == "mean_radius"
    assert client.get(f"{URL}/usage").json() == client.get("/api/v1/usage").json()
    assert client.get("/api/v1/usage").json()[0]["predictions"] == 20
    assert client.put(f"{URL}/slices", {"slices": {"x": []}}, format="json").status_code == 422
