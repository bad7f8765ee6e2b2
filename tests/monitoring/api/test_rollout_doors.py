"""Rollouts over REST, in the console and by command."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from feedback.services.outcomes import OutcomeItem, record_outcomes
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from monitoring.services.rollouts import weigh_rollout
from registry.models import ModelVersion, Rollout
from registry.services.champions import champion_of
from registry.services.rollouts import start_rollout
from registry.services.serving import predict
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_champion, make_version, rows_of

ADDRESS = "/api/v1/models/cancer/rollouts"
PAGES = "/admin/registry/rollout/"


@pytest.fixture
def challenger(tenant: Tenant) -> ModelVersion:
    """A version beside the champion of its model."""
    with tenant_scope(tenant), tenant_transaction():
        champion = make_champion()
        return make_version(champion.model, dataset=champion.dataset)


@pytest.fixture
def rollout(tenant: Tenant, challenger: ModelVersion) -> Rollout:
    """An A/B test that has seen a few outcomes."""
    with tenant_scope(tenant), tenant_transaction():
        made = start_rollout(model=challenger.model, challenger=challenger, kind="ab", by=SYSTEM)
        keys = [f"case {number}" for number in range(30)]
        rows = rows_of(challenger, 30)
        answers = predict(model=challenger.model, rows=rows, entity_keys=keys, by=SYSTEM).predictions
        items = [OutcomeItem(one.pk, "benign") for one in answers]
        record_outcomes(items=items, source="api", by=SYSTEM)
        weigh_rollout(rollout=made)
    return made


def champion(tenant: Tenant, version: ModelVersion) -> int:
    with tenant_scope(tenant), tenant_transaction():
        found = champion_of(version.model)
    assert found is not None
    return found.number


def test_a_rollout_goes_its_way_over_rest(tenant: Tenant, challenger: ModelVersion, api_for: ApiFor) -> None:
    client = api_for(tenant)
    plan = [{"share": 0.1}, {"share": 0.3, "after_hours": 12}]
    sent = client.post(ADDRESS, {"challenger": 2, "plan": plan, "margin": 0.05, "reason": "fewer misses"})
    assert sent.status_code == 201, sent.content
    body = sent.json()
    assert (body["kind"], body["state"], body["champion"], body["challenger"]) == ("canary", "running", 1, 2)
    assert [one["share"] for one in body["steps"]] == [0.1, 0.3]
    assert body["verdict"] is None
    address = f"{ADDRESS}/{body['id']}"
    weighed = client.post(f"{address}/weigh").json()["verdict"]
    assert (weighed["decision"], weighed["path"]) == ("undecided", [])
    assert len(client.post(f"{address}/ramp", {"plan": [{"share": 0.4}]}).json()["steps"]) == 2
    for verb, state in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        assert client.post(f"{address}/{verb}", {"reason": "x"}).json()["state"] == state
    assert client.get(address).json()["outcome"] == "x"
    assert [one["id"] for one in client.get(ADDRESS).json()["results"]] == [body["id"]]
    again = client.post(f"{address}/pause")
    assert (again.status_code, again.json()["code"]) == (409, "rollout_over")


def test_a_promotion_over_rest_needs_a_recent_proof_as_any_other(
    tenant: Tenant, rollout: Rollout, console_for: ConsoleFor
) -> None:
    address = f"{ADDRESS}/{rollout.pk}/promote"
    answer = console_for(tenant, Role.OPERATOR).post(address, {"reason": "sure"}, "application/json")
    assert answer.json()["state"] == "promoted", answer.content
    assert champion(tenant, rollout.challenger) == 2


@pytest.mark.parametrize(
    ("asked", "status", "field"),
    [
        ({}, 400, "challenger"),
        ({"challenger": 9}, 404, None),
        ({"challenger": 2, "kind": "dark"}, 400, "kind"),
        ({"challenger": 2, "plan": []}, 422, "plan"),
        ({"challenger": 2, "plan": [{"share": "much"}]}, 400, "plan"),
        ({"challenger": 2, "plan": [{"share": 0.95}]}, 422, "plan"),
        ({"challenger": 2, "minimum": 1}, 422, "minimum"),
        ({"challenger": 2, "largest_error": 3}, 422, "largest_error"),
        ({"challenger": 2, "shares": 1}, 400, "shares"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(
    tenant: Tenant,
    challenger: ModelVersion,
    api_for: ApiFor,
    asked: dict[str, Any],
    status: int,
    field: str | None,
) -> None:
    answer = api_for(tenant).post(ADDRESS, asked)
    assert answer.status_code == status, answer.content
    assert field is None or field in answer.json()["errors"], answer.content


@pytest.mark.parametrize(
    ("scope", "verb"), [("read", ""), ("predict", "/{pk}/stop"), ("train", "/{pk}/ramp")]
)
def test_only_who_may_deploy_starts_or_changes_one(
    tenant: Tenant, rollout: Rollout, api_for: ApiFor, scope: str, verb: str
) -> None:
    address = f"{ADDRESS}{verb.format(pk=rollout.pk)}"
    assert api_for(tenant, scope, "read").post(address, {"challenger": 2}).status_code == 403


def test_the_page_shows_the_bounds_the_cases_and_what_to_do(
    tenant: Tenant, rollout: Rollout, console_for: ConsoleFor
) -> None:
    client = console_for(tenant)
    page = client.get(f"{PAGES}{rollout.pk}/change/").content.decode()
    for words in ("Is the challenger better?", "p-band", "Too early to tell", "50 %", "Rows answered"):
        assert words in page, words
    assert "A/B test of cancer v2" in client.get(PAGES).content.decode()
    models = client.get(f"/admin/registry/registeredmodel/{rollout.model_id}/change/").content.decode()
    assert f"{PAGES}{rollout.pk}/change/" in models


def test_the_console_starts_ramps_pauses_resumes_weighs_and_stops(
    tenant: Tenant, challenger: ModelVersion, console_for: ConsoleFor
) -> None:
    client = console_for(tenant, Role.OPERATOR)
    address = f"/admin/registry/modelversion/{challenger.pk}/roll-out/"
    assert "It answers some of the real cases" in client.get(address).content.decode()
    asked = {"kind": "canary", "plan": "10% now, half later", "when_good": "tell"}
    assert "is no step" in client.post(address, asked).content.decode()
    asked["plan"] = "10% now, 20% after 2h"
    started = client.post(address, {**asked, "critical_error": "0.99"}, follow=True).content.decode()
    assert "answers 10 % of the cases" in started
    with tenant_scope(tenant), tenant_transaction():
        rollout = Rollout.objects.get()
    assert (rollout.when_good, rollout.critical_error) == ("tell", 0.99)
    for verb, data, said in (
        ("ramp", {"plan": "30%"}, "changes in a moment"),
        ("pause", {}, "for now"),
        ("resume", {}, "again"),
        ("weigh", {}, "No outcome of its cases"),
        ("stop", {"reason": "enough"}, "every case again"),
    ):
        page = client.post(f"{PAGES}{rollout.pk}/{verb}/", data, follow=True).content.decode()
        assert said in page, verb
    assert champion(tenant, challenger) == 1


def test_a_rollout_that_ended_by_itself_is_among_the_notices(
    tenant: Tenant, rollout: Rollout, console_for: ConsoleFor
) -> None:
    console = console_for(tenant)
    promoted = console.post(f"{PAGES}{rollout.pk}/promote/", {"reason": "sure"}, follow=True)
    assert "is now the champion" in promoted.content.decode()
    assert "challenger promoted" in console.get("/admin/").content.decode()


def command(*arguments: str) -> Any:
    told = io.StringIO()
    call_command("rollouts", "--tenant=clinic", "--model=cancer", "--json", *arguments, stdout=told)
    return json.loads(told.getvalue())


def test_the_command_starts_one_and_sees_it_through(tenant: Tenant, challenger: ModelVersion) -> None:
    assert command() == []
    made = command("--start=2", "--plan=10% now, 20% after 1d", "--minimum=50", "--critical-error=0.9")
    assert (made["kind"], made["share"], made["minimum"]) == ("canary", 0.1, 50)
    assert command(f"--show={made['id']}")["state"] == "running"
    assert len(command("--ramp=15%, 20% after 3h")["steps"]) == 3
    assert command("--pause")["share"] == 0
    assert command("--resume")["state"] == "running"
    assert command("--weigh")["says"] == "No outcome of its cases has come back yet."
    assert command("--promote", "--reason=sure")["state"] == "promoted"
    assert [one["state"] for one in command()] == ["promoted"]
    with pytest.raises(CommandError, match="Start one first"):
        command("--stop")
    with pytest.raises(CommandError, match="is no step"):
        command("--start=1", "--plan=much")
