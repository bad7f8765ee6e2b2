"""Promotion requests over REST, in the console and by command."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import ModelVersion, PromotionRequest
from registry.services.champions import champion_of
from registry.services.demands import change_rules
from registry.services.requests import propose
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_champion, make_version

API = "/api/v1"
PAGES = "/admin/registry/promotionrequest/"


@pytest.fixture
def candidate(tenant: Tenant) -> ModelVersion:
    """A version of a model that asks for two people."""
    with tenant_scope(tenant), tenant_transaction():
        champion = make_champion()
        change_rules(model=champion.model, four_eyes=True, by=SYSTEM)
        return make_version(champion.model, dataset=champion.dataset)


@pytest.fixture
def asked(tenant: Tenant, candidate: ModelVersion) -> PromotionRequest:
    """A request of nobody who signs in below."""
    with tenant_scope(tenant), tenant_transaction():
        return propose(model=candidate.model, version=candidate, by=SYSTEM, comment="steadier")


def champion(tenant: Tenant, version: ModelVersion) -> int:
    with tenant_scope(tenant), tenant_transaction():
        found = champion_of(version.model)
    assert found is not None
    return found.number


def test_a_proposal_goes_its_way_over_rest(
    tenant: Tenant, candidate: ModelVersion, api_for: ApiFor, console_for: ConsoleFor
) -> None:
    client = api_for(tenant)
    sent = client.post(f"{API}/models/cancer/requests", {"version": 2, "comment": "steadier"})
    assert sent.status_code == 201
    body = sent.json()
    assert (body["state"], body["version"], body["against"]) == ("open", 2, 1)
    address = f"{API}/promotion-requests/{body['id']}"
    assert client.post(f"{address}/comments", {"text": "look at recall"}).json()["comments"][0]["text"]
    refused = client.post(f"{address}/approve", {})
    assert (refused.status_code, refused.json()["code"]) == (403, "four_eyes")
    approved = console_for(tenant, Role.APPROVER).post(f"{address}/approve", {}, "application/json")
    assert approved.status_code == 200, approved.content
    assert approved.json()["state"] == "approved"
    assert champion(tenant, candidate) == 2
    moved = client.get(f"{API}/models/cancer/champion").json()
    assert (moved["request"], moved["id"]) == (body["id"], approved.json()["deployment"])


def test_requests_are_found_by_state_and_model(
    tenant: Tenant, asked: PromotionRequest, api_for: ApiFor
) -> None:
    client = api_for(tenant, "read")
    for query, found in (("state=open", 1), ("state=rejected", 0), ("model=cancer", 1), ("model=x", 0)):
        assert len(client.get(f"{API}/promotion-requests?{query}").json()["results"]) == found, query


def test_promoting_alone_is_refused_with_what_to_do(
    tenant: Tenant, candidate: ModelVersion, api_for: ApiFor
) -> None:
    answer = api_for(tenant).post(f"{API}/models/cancer/promote", {"version": 2})
    assert (answer.status_code, answer.json()["code"]) == (409, "approval_needed")
    assert "/requests" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("scope", "verb", "status"),
    [
        ("read", "approve", 403),
        ("train", "approve", 403),
        ("deploy", "reject", 200),
        ("read", "comments", 403),
    ],
)
def test_each_verb_needs_its_right(
    tenant: Tenant, asked: PromotionRequest, api_for: ApiFor, scope: str, verb: str, status: int
) -> None:
    address = f"{API}/promotion-requests/{asked.pk}/{verb}"
    assert api_for(tenant, scope).post(address, {"reason": "x"}).status_code == status


def test_the_inbox_counts_what_waits_and_approving_empties_it(
    tenant: Tenant, asked: PromotionRequest, console_for: ConsoleFor
) -> None:
    client = console_for(tenant, Role.APPROVER)
    page = client.get(PAGES).content.decode()
    assert "Promote cancer v2" in page
    assert "Waits for approval" in page
    detail = client.get(f"{PAGES}{asked.pk}/change/").content.decode()
    assert "steadier" in detail
    assert "Not worse than the champion" in detail
    done = client.post(f"{PAGES}{asked.pk}/approve/", {"reason": "agreed"}, follow=True).content.decode()
    assert "is now the champion" in done
    assert champion(tenant, asked.version) == 2
    assert "/approve/" not in client.get(f"{PAGES}{asked.pk}/change/").content.decode()


def test_an_analyst_proposes_and_comments_but_does_not_decide(
    tenant: Tenant, candidate: ModelVersion, console_for: ConsoleFor
) -> None:
    client = console_for(tenant, Role.ANALYST)
    page = client.post(
        f"/admin/registry/modelversion/{candidate.pk}/propose/", {"comment": "better"}, follow=True
    ).content.decode()
    assert "cancer v2 is proposed" in page
    with tenant_scope(tenant):
        request = PromotionRequest.objects.get()
    assert client.post(f"{PAGES}{request.pk}/comment/", {"text": "please"}).status_code == 302
    assert client.get(f"{PAGES}{request.pk}/approve/").status_code == 403
    assert client.post(f"{PAGES}{request.pk}/withdraw/", {}).status_code == 302
    with tenant_scope(tenant):
        assert PromotionRequest.objects.get().state == "withdrawn"


def test_a_rejection_without_a_reason_stays_on_the_page(
    tenant: Tenant, asked: PromotionRequest, console_for: ConsoleFor
) -> None:
    client = console_for(tenant, Role.APPROVER)
    assert "This field is required" in client.post(f"{PAGES}{asked.pk}/reject/", {}).content.decode()
    client.post(f"{PAGES}{asked.pk}/reject/", {"reason": "drifts"})
    with tenant_scope(tenant):
        assert PromotionRequest.objects.get().decision == "drifts"


def command(*arguments: str) -> Any:
    told = io.StringIO()
    call_command("promotion_requests", "--tenant=clinic", "--json", *arguments, stdout=told)
    return json.loads(told.getvalue())


def test_the_command_lists_remarks_and_approves(tenant: Tenant, asked: PromotionRequest) -> None:
    assert [one["id"] for one in command()] == [asked.pk]
    assert command(f"--remark={asked.pk}", "--comment=why")["comments"][0].endswith(": why")
    assert command(f"--approve={asked.pk}", "--reason=agreed")["state"] == "approved"
    assert command() == []
    assert [one["state"] for one in command("--all")] == ["approved"]
    assert champion(tenant, asked.version) == 2


def test_the_command_proposes_and_takes_back(tenant: Tenant, candidate: ModelVersion) -> None:
    made = command("--model=cancer", "--propose=2", "--comment=steady")
    with pytest.raises(CommandError, match="two people"):
        command(f"--approve={made['id']}")
    assert command(f"--withdraw={made['id']}")["state"] == "withdrawn"
    with pytest.raises(CommandError, match="Say with --model"):
        command("--propose=2")
