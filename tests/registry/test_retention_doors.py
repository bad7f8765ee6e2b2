"""Retention by the API, the console, the command and the schedule."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from mlplatform.admin.links import command_url
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.models import ModelVersion, Prediction
from registry.services.retention_rules import own_rules, rules_of
from registry.services.serving import predict
from registry.tasks import apply_retention
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_champion, rows_of

pytestmark = pytest.mark.usefixtures("in_tenant")
PATH = "/api/v1/retention"


@pytest.fixture
def old_row(in_tenant: Tenant) -> ModelVersion:
    """A champion that answered 91 days ago."""
    champion = make_champion()
    predict(model=champion.model, rows=rows_of(champion), by=SYSTEM)
    Prediction.objects.update(created_at=timezone.now() - timedelta(days=91))
    return champion


def test_over_the_api(old_row: ModelVersion, in_tenant: Tenant, api_for: ApiFor) -> None:
    client = api_for(in_tenant)
    rules = {one["kind"]: one for one in client.get(PATH).json()["rules"]}
    assert (rules["predictions"]["days"], rules["versions"]["newest"]) == (90, 10)
    [going] = [one for one in client.get(f"{PATH}/preview").json()["parts"] if one["going"]]
    assert (going["kind"], going["model"], going["going"]) == ("predictions", old_row.model.name, 1)
    assert Prediction.objects.count() == 1
    kept = {"rules": {"predictions": {"days": None}}}
    assert (
        client.put(f"/api/v1/models/{old_row.model.name}/retention", kept, format="json").status_code == 200
    )
    removed = client.post(f"{PATH}/run").json()["removed"]
    assert {"kind": "versions", "count": 0, "bytes": 0} in removed
    assert not any(one["count"] for one in removed)
    assert "predictions" not in {one["kind"] for one in removed}  # kept for ever
    client.put(
        f"/api/v1/models/{old_row.model.name}/retention", {"rules": {"predictions": None}}, format="json"
    )
    removed = client.post(f"{PATH}/run").json()["removed"]
    assert {one["kind"]: one["count"] for one in removed if one["count"]} == {"predictions": 1}
    assert not Prediction.objects.exists()


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        ({}, 400),
        ({"predictions": 7}, 400),
        ({"predictions": {"days": 3}}, 422),
        ({"cakes": None}, 422),
        ({"versions": {"newest": 10**9}}, 422),
    ],
)
def test_what_is_no_rule_is_refused_over_the_api(
    rules: dict[str, Any], status: int, in_tenant: Tenant, api_for: ApiFor
) -> None:
    answer = api_for(in_tenant).put(PATH, {"rules": rules}, format="json")
    assert answer.status_code == status, answer.content
    assert own_rules() == {}


def test_in_the_console(old_row: ModelVersion, in_tenant: Tenant, console_for: ConsoleFor) -> None:
    console, address = console_for(in_tenant), reverse("admin:retention")
    page = console.get(address).content.decode()
    assert "Log of predictions" in page
    assert "What the next run removes" in page
    wrong = console.post(address, {"predictions.days": "soon"}).content.decode()
    assert "is no rule" in wrong
    console.post(address, {"predictions.days": "100", "versions.newest": "3"})
    assert own_rules() == {"predictions": {"days": 100}, "versions": {"newest": 3}}
    assert Prediction.objects.count() == 1
    told = console.post(address, {"versions.newest": "4", "run": "1"}, follow=True).content.decode()
    assert "1 things are removed" in told
    assert own_rules() == {"versions": {"newest": 4}}
    of_model = command_url(old_row.model, "retention")
    assert "follows the tenant" in console.get(of_model).content.decode()
    console.post(of_model, {"predictions.days": "never"})
    assert rules_of(old_row.model)["predictions"].days is None
    assert console_for(in_tenant, "approver").get(address).status_code == 403


def test_by_the_command(old_row: ModelVersion) -> None:
    def run(*words: str) -> Any:
        told = StringIO()
        call_command("retention", "--tenant=clinic", "--json", *words, stdout=told)
        return json.loads(told.getvalue())

    assert [one["count"] for one in run("--dry-run")["would_go"]] == [1]
    assert Prediction.objects.count() == 1
    chosen = run("--keep", "predictions.days=95", "versions.newest=2")
    assert {"kind": "predictions", "days": 95, "newest": None} in chosen["rules"]
    assert run("--keep", "versions.days=60")["rules"][0] == {"kind": "versions", "days": 60, "newest": 2}
    run("--keep", "predictions=usual")
    assert run("--yes")["removed"][1] == {"kind": "predictions", "count": 1, "bytes": 0}
    for wrong in (["--dry-run", "--yes"], ["--keep", "predictions=7"], ["--model=none"]):
        with pytest.raises(CommandError):
            run(*wrong)


@pytest.mark.usefixtures("worker_at_once", "old_row")
def test_by_the_schedule_for_each_tenant_by_its_own_rules(in_tenant: Tenant, other_tenant: Tenant) -> None:
    assert apply_retention() == 2
    assert not Prediction.objects.exists()
    for tenant in (in_tenant, other_tenant):
        with tenant_scope(tenant):
            assert AuditEvent.objects.filter(action="retention.run", actor_kind="system").count() == 1
