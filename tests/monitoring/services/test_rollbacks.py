"""Automatic rollback: once, to the last good version, on proof, and told to people."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from mlplatform.admin.links import command_url, page_url
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.tenants import add_member
from monitoring import tasks
from monitoring.errors import InvalidPolicy
from monitoring.models import RetrainingDecision
from monitoring.services.chains import chain_of, find_decision
from monitoring.services.decision_letters import tell_of_decision, untold_decisions
from monitoring.services.lineage import lineage_of
from monitoring.services.policies import policy_of, update_policy
from monitoring.services.previews import preview_policy
from monitoring.services.retraining import decide
from monitoring.services.rollback_evidence import watch_of
from monitoring.services.rollbacks import decide_rollback, last_good, watched_promotion
from monitoring.services.rollups import roll_up
from registry.models import RegisteredModel
from registry.services.champions import champion_of
from registry.services.promotion import promote
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_champion, make_version
from tests.monitoring.services.test_rollback_check import answer


@pytest.fixture
def model(tenant: Tenant) -> Iterator[RegisteredModel]:
    """A model whose second version answers and may be taken back by itself on quality."""
    with tenant_scope(tenant), tenant_transaction():
        first = make_champion()
        second = make_version(first.model, dataset=first.dataset)
        promote(model=first.model, version=second, by=SYSTEM, reason="newer", override=True)
        watch_quality(first.model)
        yield first.model


def watch_quality(model: RegisteredModel) -> None:
    update_policy(model=model, by=SYSTEM, rollback_on_quality=True, rollback_minimum=30, on_performance=False)


def number_of(model: RegisteredModel) -> int:
    champion = champion_of(model)
    assert champion is not None
    return champion.number


def failed(model: RegisteredModel, right: int = 20, wrong: int = 40) -> RetrainingDecision | None:
    answer(model, right=right, wrong=wrong)
    roll_up()
    return decide_rollback(policy=policy_of(model))


def test_a_champion_that_is_proven_bad_is_taken_back_and_everything_is_kept(model: RegisteredModel) -> None:
    decision = failed(model)
    assert decision is not None
    assert (decision.state, decision.rule, number_of(model)) == ("rolled_back", "quality", 1)
    assert decision.champion is not None
    assert (decision.champion.number, decision.inputs["rows"]) == (2, 60)
    assert decision.deployment is not None
    assert (decision.deployment.action, decision.deployment.actor_kind) == ("rollback", "policy")
    assert [one.kind for one in chain_of(find_decision(decision.pk))] == ["decision", "deployment"]
    assert AuditEvent.objects.filter(action="policy.rolled_back", actor_kind="policy").count() == 1
    edges = lineage_of(decision.deployment, direction="up").edges
    assert (f"decision:{decision.pk}", f"deployment:{decision.deployment.pk}") in edges


def test_it_happens_once_until_a_version_is_promoted_anew(model: RegisteredModel) -> None:
    assert failed(model) is not None
    assert failed(model) is None
    assert watched_promotion(model) is None
    second = model.versions.get(number=2)
    promote(model=model, version=second, by=SYSTEM, reason="again", override=True)
    assert last_good(model) == model.versions.get(number=1)
    again = failed(model)
    assert again is not None
    assert (again.state, number_of(model)) == ("rolled_back", 1)


@pytest.mark.parametrize(
    ("changes", "right", "wrong"),
    [
        ({}, 58, 2),
        ({"rollback_minimum": 61}, 20, 40),
        ({"rollback_on_quality": False}, 20, 40),
        ({"enabled": False}, 20, 40),
        ({"rollback_loss": 0.8}, 20, 40),
    ],
)
def test_nothing_is_taken_back_without_proof_or_leave(
    model: RegisteredModel, changes: dict[str, Any], right: int, wrong: int
) -> None:
    update_policy(model=model, by=SYSTEM, **changes)
    assert failed(model, right, wrong) is None
    assert number_of(model) == 2


@pytest.mark.usefixtures("in_tenant")
def test_where_nothing_can_be_gone_back_to_that_is_told_once() -> None:
    model = make_champion().model
    watch_quality(model)
    decision = failed(model)
    assert decision is not None
    assert (decision.state, decision.inputs["code"]) == ("declined", "no_earlier_version")
    assert decide_rollback(policy=policy_of(model)) == decision


def test_the_check_decides_it_and_no_retraining_follows_at_once(model: RegisteredModel) -> None:
    answer(model, right=20, wrong=40)
    result = tasks.submit_checks(model=model, by=SYSTEM)
    assert result.decision is not None
    assert result.decision.state == "rolled_back"
    assert any(note.startswith("Policy: rolled back.") for note in result.notes)
    following = decide(model=model)
    assert following is None or following.rule not in {"quality", "latency", "calibration"}


def test_people_are_told_once(model: RegisteredModel) -> None:
    add_member(email="operator@clinic.example", role=Role.OPERATOR, by=SYSTEM)
    decision = failed(model)
    assert decision is not None
    assert untold_decisions() == [decision.pk]
    assert tell_of_decision(decision=decision) == 1
    assert "cancer was rolled back" in mail.outbox[0].subject
    assert decision.reason in mail.outbox[0].body
    assert (tell_of_decision(decision=decision), untold_decisions()) == (0, [])


def test_the_preview_tells_what_would_have_been_taken_back(
    tenant: Tenant, model: RegisteredModel, api_for: ApiFor, console_for: ConsoleFor
) -> None:
    update_policy(model=model, by=SYSTEM, rollback_on_quality=False)
    assert failed(model) is None
    taken = preview_policy(model=model, rollback_on_quality=True).rollbacks
    assert [(one.version, one.judgement.proven and one.judgement.proven.signal) for one in taken] == [
        (2, "quality")
    ]
    address = "/api/v1/models/cancer/policy/preview"
    body = api_for(tenant).get(address, {"rollback_on_quality": "true"}).json()
    assert [one["version"] for one in body["rollbacks"]] == [2]
    assert "would have rolled back once" in body["says"]
    update_policy(model=model, by=SYSTEM, rollback_on_quality=True)
    page = console_for(tenant).get(command_url(policy_of(model), "preview")).content.decode()
    assert "proven to be at least" in page


def test_the_tests_are_seen_in_the_check_by_hand_and_the_decision_on_its_page(
    tenant: Tenant, model: RegisteredModel, api_for: ApiFor, console_for: ConsoleFor
) -> None:
    answer(model, right=20, wrong=40)
    found = api_for(tenant).get("/api/v1/models/cancer/rollback-check").json()["tests"]
    assert {one["signal"] for one in found} >= {"quality", "calibration"}
    assert "Proven" in console_for(tenant).get(command_url(model, "rollback-check")).content.decode()
    decision = decide_rollback(policy=policy_of(model))
    assert decision is not None
    console = console_for(tenant)
    assert "Rolled back" in console.get(page_url(decision)).content.decode()
    assert "cancer was rolled back" in console.get("/admin/").content.decode()


def test_latency_is_held_against_the_limit_or_twice_the_version_before(model: RegisteredModel) -> None:
    answer(model, right=30, wrong=0)
    roll_up()
    promotion = watched_promotion(model)
    assert promotion is not None
    assert [one.slow for one in watch_of(policy_of(model), promotion).hours] == [None]
    update_policy(model=model, by=SYSTEM, rollback_latency_ms=0.01)
    assert [one.slow for one in watch_of(policy_of(model), promotion).hours] == [1.0]
    update_policy(model=model, by=SYSTEM, rollback_latency_ms=60_000.0)
    assert [one.slow for one in watch_of(policy_of(model), promotion).hours] == [0.0]
    later = watch_of(policy_of(model), promotion, until=promotion.created_at - timedelta(hours=2))
    assert list(later.hours) == []


@pytest.mark.parametrize(
    "wrong",
    [{"rollback_alpha": 0.0}, {"rollback_alpha": 0.9}, {"rollback_gap": 1.0}, {"rollback_minimum": 0}],
)
def test_terms_that_cannot_be_are_refused(model: RegisteredModel, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidPolicy) as caught:
        update_policy(model=model, by=SYSTEM, **wrong)
    assert set(caught.value.fields or {}) == set(wrong)
