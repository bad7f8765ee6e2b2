"""Alerts, rules and the lists of reports over REST."""

import pytest
from rest_framework.test import APIClient

from mlplatform.tenancy.models import Tenant
from monitoring.models import Alert, AlertRule
from registry.models import RegisteredModel
from tests.conftest import ApiFor
from tests.monitoring.conftest import Ask, tell

API = "/api/v1"
RULE = {"model": "cancer", "metric": "drift_share", "threshold": 0.3, "severity": "info"}


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    """A key with every right."""
    return api_for(tenant)


@pytest.fixture
def checked(client: APIClient, model: RegisteredModel, ask: Ask) -> RegisteredModel:
    """A model with an alert, a report, a snapshot and a decision."""
    tell(ask(60, drifted=20))
    client.post(f"{API}/models/cancer/checks")
    return model


def test_an_alert_goes_from_open_to_resolved(client: APIClient, checked: RegisteredModel) -> None:
    (alert,) = client.get(f"{API}/alerts?state=open&model=cancer&severity=critical").json()["results"]
    url = f"{API}/alerts/{alert['id']}"
    assert client.post(f"{url}/acknowledge").json()["state"] == "acknowledged"
    assert client.post(f"{url}/acknowledge").status_code == 409
    assert client.post(f"{url}/resolve", {"reason": "season"}).json()["state"] == "resolved"
    assert client.post(f"{url}/resolve").status_code == 409
    assert client.get(url).json()["acknowledged_by"].startswith("api key")


def test_a_reader_cannot_touch_alerts(tenant: Tenant, api_for: ApiFor, checked: RegisteredModel) -> None:
    reader, alert = api_for(tenant, "read"), Alert.objects.get()
    assert reader.post(f"{API}/alerts/{alert.pk}/resolve").status_code == 403
    assert reader.get(f"{API}/alerts/{alert.pk}").status_code == 200


def test_rules_are_made_changed_and_deleted(client: APIClient, model: RegisteredModel) -> None:
    made = client.post(f"{API}/alert-rules", RULE)
    assert made.status_code == 201
    url = f"{API}/alert-rules/{made.json()['id']}"
    assert client.patch(url, {"threshold": 0.4, "enabled": False}).json()["threshold"] == 0.4
    assert client.post(f"{API}/alert-rules", RULE).status_code == 409
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"threshold": 2}, 422),
        ({"threshold": "high"}, 400),
        ({"metric": "moon"}, 400),
        ({"minimum_rows": 0}, 400),
        ({"minimum_rows": 10**30}, 422),
        ({"model": "nobody"}, 404),
        ({"tenant": 1}, 400),
    ],
)
def test_a_rule_that_cannot_work_is_refused(
    client: APIClient, model: RegisteredModel, change: dict[str, object], status: int
) -> None:
    assert client.post(f"{API}/alert-rules", RULE | change).status_code == status
    assert not AlertRule.objects.exists()


@pytest.mark.parametrize(
    "name", ["alerts", "alert-rules", "drift-reports", "performance-snapshots", "decisions"]
)
def test_lists_and_details_belong_to_the_tenant(
    client: APIClient, checked: RegisteredModel, other_tenant: Tenant, api_for: ApiFor, name: str
) -> None:
    rows = client.get(f"{API}/{name}?model=cancer").json()["results"]
    assert rows
    assert client.get(f"{API}/{name}/{rows[0]['id']}").json()["model"] == "cancer"
    assert client.get(f"{API}/{name}?model=nobody").json()["results"] == []
    assert client.get(f"{API}/{name}?tenant=1").status_code == 400
    stranger = api_for(other_tenant)
    assert stranger.get(f"{API}/{name}").json()["results"] == []
    assert stranger.get(f"{API}/{name}/{rows[0]['id']}").status_code == 404
    assert client.get(f"{API}/{name}/none").status_code == 404


def test_a_stranger_cannot_act_on_what_it_cannot_see(
    checked: RegisteredModel, other_tenant: Tenant, api_for: ApiFor
) -> None:
    stranger, alert, rule = api_for(other_tenant), Alert.objects.get(), AlertRule.objects.all()[0]
    assert stranger.post(f"{API}/alerts/{alert.pk}/resolve").status_code == 404
    assert stranger.patch(f"{API}/alert-rules/{rule.pk}", {"threshold": 1}).status_code == 404
    assert stranger.delete(f"{API}/alert-rules/{rule.pk}").status_code == 404
    assert stranger.post(f"{API}/alert-rules", RULE).status_code == 404
