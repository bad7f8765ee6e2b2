"""Promotion requests: from a proposal to its end, whoever decides, whatever happens meanwhile."""

from datetime import timedelta
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from mlplatform.errors import NotAllowed
from mlplatform.tenancy.actors import SYSTEM, Actor, ActorKind
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.services.api_keys import create_api_key
from mlplatform.tenancy.services.grants import give_right
from mlplatform.tenancy.services.tenants import add_member
from registry.errors import (
    AlreadyChampion,
    ApprovalNeeded,
    GateFailed,
    PromotionRaced,
    ReasonMissing,
    RequestClosed,
    RequestOpen,
    VersionNotReady,
)
from registry.models import Alias, ModelVersion, PromotionRequest
from registry.models.request import RequestState
from registry.models.version import VersionStatus
from registry.services import letters, requests
from registry.services.champions import champion_of
from registry.services.demands import change_rules
from registry.services.promotion import examine, promote, rollback
from registry.services.requests import approve, comment_on, end_overdue, propose, reject, withdraw
from registry.tasks import tell_of_request, tend_requests
from tests.factories import make_champion, make_version

ANN = Actor(ActorKind.USER, "ann@clinic.example", 1)
BOB = Actor(ActorKind.USER, "bob@clinic.example", 2)


@pytest.fixture
def candidate(in_tenant: Tenant) -> ModelVersion:
    """A version as good as the champion of its model."""
    champion = make_champion()
    return make_version(champion.model, dataset=champion.dataset)


@pytest.fixture
def request_(candidate: ModelVersion) -> PromotionRequest:
    """Ann's proposal of it, for a model that asks for two people."""
    change_rules(model=candidate.model, four_eyes=True, by=SYSTEM)
    return propose(model=candidate.model, version=candidate, by=ANN, comment="steadier")


def answering(version: ModelVersion) -> int | None:
    """The number of the version that answers."""
    found = champion_of(version.model)
    return found.number if found else None


def test_a_proposal_keeps_the_verdicts_and_against_what_they_were_given(request_: PromotionRequest) -> None:
    assert request_.against is not None
    assert request_.against.number == 1
    assert all(gate["passed"] and gate["detail"] for gate in request_.gates)
    assert request_.expires_at - request_.created_at == pytest.approx(
        timedelta(days=14), abs=timedelta(seconds=5)
    )
    event = AuditEvent.objects.get(action="promotion.proposed")
    assert (event.actor_label, event.details["comment"]) == ("ann@clinic.example", "steadier")


def test_a_second_person_makes_it_the_champion_in_one_step(request_: PromotionRequest) -> None:
    moved = approve(request=request_, by=BOB, reason="agreed")
    request_.refresh_from_db()
    assert (request_.state, request_.decided_by, request_.decision) == (
        RequestState.APPROVED,
        "bob@clinic.example",
        "agreed",
    )
    assert moved.request == request_
    assert moved.gates
    assert (moved.actor_label, moved.reason) == ("bob@clinic.example", "agreed")
    assert answering(request_.version) == 2


def test_without_a_reason_the_proposals_comment_is_the_deployments(request_: PromotionRequest) -> None:
    assert approve(request=request_, by=BOB).reason == "steadier"


def test_whoever_proposes_does_not_approve(request_: PromotionRequest) -> None:
    with pytest.raises(NotAllowed, match="two people"):
        approve(request=request_, by=ANN)
    assert answering(request_.version) == 1
    request_.refresh_from_db()
    assert request_.state == RequestState.OPEN


def test_an_api_key_is_no_second_person(candidate: ModelVersion) -> None:
    change_rules(model=candidate.model, four_eyes=True, by=SYSTEM)
    key = create_api_key(name="ann's", scopes=["deploy"], by=ANN).key
    asked = propose(model=candidate.model, version=candidate, by=Actor.of(key))
    with pytest.raises(NotAllowed, match="two people"):
        approve(request=asked, by=ANN)


def test_one_account_of_the_machine_is_one_person_in_every_command(candidate: ModelVersion) -> None:
    change_rules(model=candidate.model, four_eyes=True, by=SYSTEM)
    asked = propose(
        model=candidate.model, version=candidate, by=Actor(ActorKind.COMMAND, "root: promotion_requests")
    )
    with pytest.raises(NotAllowed, match="two people"):
        approve(request=asked, by=Actor(ActorKind.COMMAND, "root: shell"))


def test_one_person_is_enough_where_the_model_does_not_ask_for_two(candidate: ModelVersion) -> None:
    asked = propose(model=candidate.model, version=candidate, by=ANN)
    approve(request=asked, by=ANN)
    assert answering(candidate) == 2


def test_nobody_promotes_alone_where_the_model_asks_for_two(candidate: ModelVersion) -> None:
    change_rules(model=candidate.model, four_eyes=True, by=SYSTEM)
    for override in (False, True):
        with pytest.raises(ApprovalNeeded):
            promote(model=candidate.model, version=candidate, by=ANN, reason="x", override=override)
    assert answering(candidate) == 1


def test_going_back_needs_no_second_person(request_: PromotionRequest) -> None:
    approve(request=request_, by=BOB)
    rollback(model=request_.model, by=ANN, reason="complaints")
    assert answering(request_.version) == 1


def test_a_version_is_proposed_once_at_a_time(request_: PromotionRequest) -> None:
    with pytest.raises(RequestOpen):
        propose(model=request_.model, version=request_.version, by=BOB)
    examined = examine(model=request_.model, version=request_.version)
    with pytest.raises(RequestOpen):  # the database says so, too, where two ask at the same moment
        requests.propose_examined(examined=examined, by=BOB)
    reject(request=request_, by=BOB, reason="not yet")
    assert propose(model=request_.model, version=request_.version, by=ANN).pk != request_.pk


def test_of_two_approvals_at_once_one_counts(request_: PromotionRequest) -> None:
    other = PromotionRequest.objects.get(pk=request_.pk)  # read before the first decided
    approve(request=request_, by=BOB)
    Alias.objects.update(version=request_.against)  # so that nothing but the request stands in the way
    with pytest.raises(RequestClosed, match="Somebody else decided"):
        approve(request=other, by=BOB)
    assert request_.model.deployments.count() == 2


def test_a_champion_that_moved_while_the_gates_ran_leaves_the_request_open(
    request_: PromotionRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(**given: Any) -> Any:
        examined = examine(**given)
        Alias.objects.update(revision=99)
        return examined

    monkeypatch.setattr(requests, "examine", meanwhile)
    with pytest.raises(PromotionRaced):
        approve(request=request_, by=BOB)
    request_.refresh_from_db()
    assert request_.state == RequestState.OPEN
    assert request_.model.deployments.count() == 1


def test_the_gates_are_run_anew_against_what_runs_when_it_is_approved(request_: PromotionRequest) -> None:
    change_rules(model=request_.model, gates={"artifact_size": {"megabytes": 0.0001}}, by=SYSTEM)
    with pytest.raises(GateFailed):
        approve(request=request_, by=BOB)
    with pytest.raises(ReasonMissing):
        approve(request=request_, by=BOB, override=True)
    moved = approve(request=request_, by=BOB, override=True, reason="disk is cheap")
    assert moved.overridden


def test_a_version_that_was_archived_meanwhile_is_not_approved_and_the_request_ends(
    request_: PromotionRequest,
) -> None:
    ModelVersion.objects.filter(pk=request_.version_id).update(status=VersionStatus.ARCHIVED)
    request_ = requests.find_request(request_.pk)
    with pytest.raises(VersionNotReady):
        approve(request=request_, by=BOB)
    assert [one.state for one in end_overdue(by=SYSTEM)] == [RequestState.STALE]


def test_a_version_that_became_champion_another_way_ends_its_request(candidate: ModelVersion) -> None:
    asked = propose(model=candidate.model, version=candidate, by=ANN)
    promote(model=candidate.model, version=candidate, by=BOB)
    with pytest.raises(AlreadyChampion):
        approve(request=asked, by=BOB)
    assert [one.pk for one in end_overdue(by=SYSTEM)] == [asked.pk]


def test_what_nobody_decides_in_time_expires(request_: PromotionRequest) -> None:
    PromotionRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    request_.refresh_from_db()
    with pytest.raises(RequestClosed, match="expired"):
        approve(request=request_, by=BOB)
    assert [one.state for one in end_overdue(by=SYSTEM)] == [RequestState.EXPIRED]
    assert end_overdue(by=SYSTEM) == []
    assert AuditEvent.objects.filter(action="promotion.expired").count() == 1


def test_how_long_a_proposal_stands_is_the_models_choice(candidate: ModelVersion) -> None:
    change_rules(model=candidate.model, request_days=3, by=SYSTEM)
    asked = propose(model=candidate.model, version=candidate, by=ANN)
    assert (asked.expires_at - asked.created_at).days in {2, 3}


def test_a_rejection_needs_a_reason_and_is_the_end(request_: PromotionRequest) -> None:
    with pytest.raises(ReasonMissing):
        reject(request=request_, by=BOB, reason=" ")
    reject(request=request_, by=BOB, reason="drifts in winter")
    with pytest.raises(RequestClosed, match="rejected"):
        approve(request=request_, by=BOB)


def test_only_whoever_proposed_it_takes_it_back(request_: PromotionRequest) -> None:
    with pytest.raises(NotAllowed, match=r"ann@clinic\.example proposed it"):
        withdraw(request=request_, by=BOB)
    assert withdraw(request=request_, by=ANN).state == RequestState.WITHDRAWN


def test_comments_are_kept_in_their_order(request_: PromotionRequest) -> None:
    comment_on(request=request_, by=BOB, text=" why? ")
    comment_on(request=PromotionRequest.objects.get(), by=ANN, text="fewer misses")
    request_.refresh_from_db()
    said = [(one["by"], one["text"]) for one in request_.comments]
    assert said == [("bob@clinic.example", "why?"), ("ann@clinic.example", "fewer misses")]
    with pytest.raises(ReasonMissing):
        comment_on(request=request_, by=BOB, text="  ")


# --- Letters ----------------------------------------------------------------------------------
@pytest.fixture
def people(in_tenant: Tenant) -> None:
    """Members of each role; Ann is an approver as well."""
    for role in ("viewer", "analyst", "operator", "approver", "admin"):
        add_member(email=f"{role}@clinic.example", role=role, by=SYSTEM)
    add_member(email=ANN.label, role="approver", by=SYSTEM)


def test_each_approver_but_the_proposer_gets_a_letter_of_their_own_once(
    people: None, request_: PromotionRequest
) -> None:
    assert letters.tell_approvers(request=request_) == 2
    assert letters.tell_approvers(request=request_) == 0
    assert sorted(one.to for one in mail.outbox) == [["admin@clinic.example"], ["approver@clinic.example"]]
    assert mail.outbox[0].subject == "Approve cancer v2?"
    assert "steadier" in mail.outbox[0].body
    assert "It passed every gate." in mail.outbox[0].body


def test_nobody_is_told_of_a_model_that_is_not_there_for_them(
    people: None, request_: PromotionRequest
) -> None:
    hidden = add_member(email="apart@clinic.example", role="approver", by=SYSTEM)
    give_right(model=request_.model, holder=hidden, role="none", by=SYSTEM)
    viewer = add_member(email="chosen@clinic.example", role="viewer", by=SYSTEM)
    give_right(model=request_.model, holder=viewer, role="approver", by=SYSTEM)
    told = {person.email for person in letters.approvers_of(request_)}
    assert "apart@clinic.example" not in told
    assert "chosen@clinic.example" in told


def test_a_mail_server_that_is_away_is_asked_again(
    people: None, request_: PromotionRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*given: Any, **named: Any) -> int:
        raise SMTPServerDisconnected("gone")

    with monkeypatch.context() as patched:
        patched.setattr(letters, "send_mail", away)
        assert letters.tell_approvers(request=request_) == 0
    assert [one.pk for one in letters.untold_requests()] == [request_.pk]
    tell_of_request(request_.pk, tenant_id=request_.tenant_id)
    assert len(mail.outbox) == 2
    assert letters.untold_requests() == []


def test_the_schedule_ends_what_is_overdue_and_has_the_rest_told(
    request_: PromotionRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(tell_of_request, "delay", lambda pk, **_: sent.append(pk))
    assert tend_requests() == 1
    assert sent == [request_.pk]
    PromotionRequest.objects.update(expires_at=timezone.now())
    assert tend_requests() == 1
    request_.refresh_from_db()
    assert request_.state == RequestState.EXPIRED
