"""Outcomes that come before their predictions: held, joined, given up, forgotten."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from feedback.errors import InvalidOutcomes
from feedback.models import HeldOutcome, Outcome, Rating
from feedback.models.held import HeldState
from feedback.services.erasures import erase_subject
from feedback.services.holding import held_counts
from feedback.services.joining import Joined, expire_held, join_held
from feedback.services.outcomes import OutcomeItem, OutcomeResult, record_outcomes
from feedback.services.subjects import holdings
from feedback.tasks import tend_held
from mlplatform.tenancy.actors import SYSTEM, Actor
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import Sight, tenant_scope, tenant_transaction
from mlplatform.tenancy.services.api_keys import create_api_key
from mlplatform.tenancy.services.settings import change_settings
from registry.models import ModelVersion, Prediction
from registry.models.prediction import time_ordered_uuid
from registry.services.retention_kinds import KINDS, Rule
from registry.services.serving import predict
from tests import moves
from tests.factories import make_model, rows_of

DAY = timedelta(days=1)


def send(key: object, value: object = "benign", *, by: Actor = SYSTEM, **told: object) -> OutcomeResult:
    return record_outcomes(items=[OutcomeItem(key, value, **told)], source="api", by=by)  # type: ignore[arg-type]


def arrive(version: ModelVersion, key: uuid.UUID, *, entity: str | None = None) -> Prediction:
    """Have the version answer a row that is logged under the key."""
    told = predict(model=version.model, rows=rows_of(version), ids=[key], entity_keys=[entity], by=SYSTEM)
    return told.predictions[0]


def test_an_unknown_id_waits_and_is_joined_with_the_moment_it_came(champion: ModelVersion) -> None:
    key = time_ordered_uuid()
    result = send(str(key))
    assert (result.accepted, result.held) == (0, 1)
    assert result.waiting == [{"index": 0, "prediction_id": str(key)}]
    received = HeldOutcome.objects.get().received_at
    assert join_held() == Joined()
    arrive(champion, key)
    assert tend_held() == 1
    outcome = Outcome.objects.get()
    assert (outcome.prediction_id, outcome.label, outcome.received_at) == (key, "benign", received)
    assert not HeldOutcome.objects.exists()
    assert join_held() == Joined()


def test_the_same_report_again_waits_once_and_counts_once(champion: ModelVersion) -> None:
    key = time_ordered_uuid()
    assert [send(key).held, send(key).held] == [1, 1]
    assert HeldOutcome.objects.count() == 1
    arrive(champion, key)
    join_held()
    assert send(key) == OutcomeResult(repeated=1)


@pytest.mark.parametrize(
    ("told", "counts"),
    [(("benign", "malignant"), "malignant"), (("benign", "malignant", "benign"), "benign")],
)
def test_what_was_said_last_counts(told: tuple[str, ...], counts: str, champion: ModelVersion) -> None:
    key = time_ordered_uuid()
    for value in told:
        send(key, value)
    arrive(champion, key)
    assert join_held().joined == 2
    assert Outcome.objects.get(current=True).label == counts


def test_what_was_said_last_counts_of_a_key_for_some_models_too(champion: ModelVersion) -> None:
    by = Actor.of(create_api_key(name="one", scopes=["feedback"], models=["cancer"], by=SYSTEM).key)
    key = time_ordered_uuid()
    with tenant_scope(champion.tenant, Sight(only=frozenset(["cancer"]))):
        for value in ("benign", "malignant", "benign"):
            send(key, value, by=by)
    arrive(champion, key)
    join_held()
    assert Outcome.objects.get(current=True).label == "benign"


def test_a_case_that_nobody_asked_about_waits_by_its_pseudonym(champion: ModelVersion) -> None:
    assert send("", entity_key="patient-17", model="cancer").held == 1
    held = HeldOutcome.objects.get()
    assert held.entity_key.startswith("psn_")
    later = arrive(champion, time_ordered_uuid(), entity="patient-17")
    assert join_held() == Joined()  # it was asked only after the outcome
    Prediction.objects.filter(pk=later.pk).update(created_at=held.received_at - DAY)
    assert join_held().joined == 1
    assert Outcome.objects.get().prediction_id == later.pk


def test_what_does_not_fit_its_prediction_stays_with_the_reason(champion: ModelVersion) -> None:
    key = time_ordered_uuid()
    send(key, "cured")
    arrive(champion, key)
    assert join_held() == Joined(refused=1)
    held = HeldOutcome.objects.get()
    assert (held.state, "not a class" in held.reason) == (HeldState.REFUSED, True)
    assert AuditEvent.objects.get(action="outcomes.refused").details == {"count": 1, "source": "held"}
    assert join_held() == Joined()


def test_nobody_tells_of_a_model_that_is_not_theirs_by_being_early(champion: ModelVersion) -> None:
    make_model("another")
    other = create_api_key(name="other", scopes=["feedback"], models=["another"], by=SYSTEM).key
    owner = create_api_key(name="owner", scopes=["feedback"], models=["cancer"], by=SYSTEM).key
    key = time_ordered_uuid()
    send(key, "malignant", by=Actor.of(other))
    send(key, "benign", by=Actor.of(owner))
    arrive(champion, key)
    assert join_held().joined == 1
    assert Outcome.objects.get().label == "benign"
    assert HeldOutcome.objects.get().received_from == str(Actor.of(other))


def test_after_the_time_is_over_it_is_given_up_and_counted(champion: ModelVersion) -> None:
    key = time_ordered_uuid()
    send(key)
    assert expire_held(now=timezone.now() + 6 * DAY) == 0
    assert expire_held(now=timezone.now() + 8 * DAY) == 1
    assert held_counts() == {"waiting": 0, "expired": 1, "refused": 0}
    assert AuditEvent.objects.get(action="outcomes.expired").details["count"] == 1
    arrive(champion, key)
    assert join_held() == Joined()
    assert send(key).accepted == 1


def test_in_a_tenant_that_was_moved_no_key_that_is_there_by_chance_stands_in_for_the_sender(
    in_tenant: Tenant,
) -> None:
    key = create_api_key(name="owner", scopes=["feedback"], by=SYSTEM).key
    send(time_ordered_uuid(), by=Actor.of(key))
    send(time_ordered_uuid())
    with tenant_scope(moves.arrive(moves.exported(in_tenant)[0])), tenant_transaction():
        assert set(HeldOutcome.objects.values_list("sender_kind", "sender_id", "state")) == {
            ("api_key", None, HeldState.EXPIRED),
            ("system", None, HeldState.WAITING),
        }
    assert held_counts()["waiting"] == 2


def test_what_waited_in_vain_goes_by_the_rules_of_retention(in_tenant: Tenant) -> None:
    send(time_ordered_uuid())
    send(time_ordered_uuid())
    HeldOutcome.objects.filter(pk=HeldOutcome.objects.first().pk).update(state=HeldState.EXPIRED)  # type: ignore[union-attr]
    kind = KINDS.named("held_outcomes")
    assert kind is not None
    kind.remove(None, Rule(30), timezone.now() + 31 * DAY, SYSTEM)
    assert HeldOutcome.objects.get().state == HeldState.WAITING


@pytest.mark.parametrize("strict", ["setting", "caller"])
def test_a_tenant_or_a_caller_may_want_a_refusal(strict: str, in_tenant: Tenant) -> None:
    if strict == "setting":
        change_settings(changes={"outcome_hold_days": 0}, by=SYSTEM)
    item = OutcomeItem(time_ordered_uuid(), "benign")
    with pytest.raises(InvalidOutcomes) as caught:
        record_outcomes(items=[item], source="api", by=SYSTEM, hold_unknown=strict == "setting")
    assert caught.value.errors[0]["code"] == "unknown_prediction"
    assert not HeldOutcome.objects.exists()


def test_no_more_wait_than_there_is_room_for(in_tenant: Tenant, settings: Settings) -> None:
    settings.MAX_HELD_OUTCOMES = 1
    items = [OutcomeItem(time_ordered_uuid(), "benign") for _ in range(2)]
    result = record_outcomes(items=items, source="api", by=SYSTEM, partial=True)
    assert (result.held, [one["code"] for one in result.errors]) == (1, ["unknown_prediction"])


@pytest.mark.parametrize("value", ["x" * 201, float("nan"), 10**400, ["benign"], "a\0b", " "])
def test_what_can_be_no_outcome_does_not_wait(value: object, in_tenant: Tenant) -> None:
    with pytest.raises(InvalidOutcomes) as caught:
        send(time_ordered_uuid(), value)
    assert caught.value.errors[0]["code"] == "invalid_outcome"


def test_another_tenants_prediction_looks_like_one_that_there_is_not(
    predictions: list[Prediction], other_tenant: Tenant
) -> None:
    with tenant_scope(other_tenant), tenant_transaction():
        theirs, nobodys = send(predictions[0].pk), send(time_ordered_uuid())
        assert (theirs.held, theirs.errors) == (nobodys.held, nobodys.errors) == (1, [])
        assert join_held() == Joined()
    assert not Outcome.objects.exists()
    assert held_counts()["waiting"] == 0


def test_a_rating_waits_with_its_comment(champion: ModelVersion) -> None:
    key = time_ordered_uuid()
    send(key, None, rating="up", comment="quick")
    arrive(champion, key)
    assert join_held().joined == 1
    rating = Rating.objects.get()
    assert (rating.rating, rating.comment, Outcome.objects.count()) == ("up", "quick", 0)


def test_erasing_a_person_takes_along_what_waits(champion: ModelVersion) -> None:
    send("", entity_key="patient-17", model="cancer")
    send("", entity_key="patient-18", model="cancer")
    assert holdings(key="patient-17", by=SYSTEM).waiting == 1
    erase_subject(key="patient-17", by=SYSTEM)
    assert holdings(key="patient-17", by=SYSTEM).waiting == 0
    assert HeldOutcome.objects.count() == 1
