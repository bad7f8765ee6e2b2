"""Labelling, quarantines and their settings over REST."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from feedback.models import LabelItem, Outcome, Quarantine
from mlplatform.tenancy.actors import SYSTEM, Actor, ActorKind
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.api_keys import create_api_key
from registry.models import Prediction
from tests.conftest import ApiFor
from tests.factories import make_champion, make_model
from tests.feedback.conftest import asked

API = "/api/v1"
MODEL = f"{API}/models/cancer"
KEY = Actor(ActorKind.API_KEY, "laboratory")


def named(tenant: Tenant, name: str, *scopes: str) -> APIClient:
    """Return a client with a key of this name: who labels is told apart by it."""
    with tenant_scope(tenant):
        made = create_api_key(name=name, scopes=scopes, by=SYSTEM)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {made.secret}")
    return client


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    """A key that may give outcomes and read."""
    return api_for(tenant, "feedback", "read")


def test_the_queue_shows_rows_without_the_models_answer(
    client: APIClient, predictions: list[Prediction]
) -> None:
    found = client.get(f"{MODEL}/labelling-queue", {"limit": 2}).json()
    assert len(found) == 2
    assert set(found[0]) == {"prediction", "version", "asked_at", "features", "choices", "reasons", "worth"}
    assert found[0]["choices"] == ["benign", "malignant"]
    assert {one["prediction"] for one in found} <= {str(one.pk) for one in predictions}
    assert client.get(f"{MODEL}/labelling-queue", {"reason": "whim"}).status_code == 400
    assert client.get(f"{MODEL}/labelling-queue", {"limit": 1000}).status_code == 400


def test_a_label_becomes_an_outcome(client: APIClient, predictions: list[Prediction]) -> None:
    body = {"prediction": str(predictions[0].pk), "value": "benign"}
    told = client.post(f"{MODEL}/labels", body)
    assert (told.status_code, told.json()["state"]) == (201, "settled")
    assert Outcome.objects.get().source == "labelling"
    again = client.post(f"{MODEL}/labels", body)
    assert (again.status_code, again.json()["code"]) == (409, "cannot_label")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"value": "purple"}, 422),
        ({}, 400),
        ({"value": "benign", "skip": True}, 400),
        ({"value": "benign", "prediction": "x"}, 400),
        ({"value": "benign", "prediction": str(uuid.uuid4())}, 404),
    ],
)
def test_what_is_no_label_is_refused(
    client: APIClient, predictions: list[Prediction], body: dict[str, object], status: int
) -> None:
    answer = client.post(f"{MODEL}/labels", {"prediction": str(predictions[0].pk), **body})
    assert answer.status_code == status
    assert not Outcome.objects.exists()


def test_a_prediction_of_another_model_is_unknown(client: APIClient, predictions: list[Prediction]) -> None:
    [other] = asked(make_champion(make_model("other")), 1)
    answer = client.post(f"{MODEL}/labels", {"prediction": str(other.pk), "value": "benign"})
    assert answer.status_code == 404


def test_the_first_opinion_is_hidden_until_the_second_is_given(
    tenant: Tenant, client: APIClient, predictions: list[Prediction]
) -> None:
    second = named(tenant, "second", "feedback", "read")
    body = {"prediction": str(predictions[0].pk), "second_opinion": True}
    item = client.post(f"{MODEL}/labels", {**body, "value": "malignant"}).json()
    assert (item["state"], item["labels"]) == ("waiting", [])
    assert "malignant" not in second.get(f"{API}/labelled/{item['id']}").content.decode()
    first = second.get(f"{MODEL}/labelling-queue").json()[0]
    assert first["prediction"] == str(predictions[0].pk)
    told = second.post(f"{MODEL}/labels", {**body, "value": "benign"}).json()
    assert (told["state"], [one["value"] for one in told["labels"]]) == ("disputed", ["malignant", "benign"])
    decided = f"{API}/labelled/{item['id']}/decide"
    assert second.post(decided, {"value": "benign", "reason": "x"}).status_code == 403
    owner = named(tenant, "owner", "feedback", "admin")
    assert owner.post(decided, {"value": "benign", "reason": "looked"}).json()["state"] == "settled"
    [listed] = client.get(f"{API}/labelled", {"state": "settled", "model": "cancer"}).json()["results"]
    assert listed["reason"] == "looked"
    assert client.get(f"{MODEL}/label-agreement").json()["overall"] == {
        "rows": 1,
        "agreed": 0,
        "share": 0.0,
        "kappa": 0.0,
    }


def test_a_skipped_row_is_not_offered_again(client: APIClient, predictions: list[Prediction]) -> None:
    client.post(f"{MODEL}/labels", {"prediction": str(predictions[0].pk), "skip": True})
    found = client.get(f"{MODEL}/labelling-queue").json()
    assert {one["prediction"] for one in found} == {str(one.pk) for one in predictions[1:]}


def test_a_key_without_the_right_labels_nothing(
    tenant: Tenant, api_for: ApiFor, predictions: list[Prediction]
) -> None:
    reader = api_for(tenant, "read")
    body = {"prediction": str(predictions[0].pk), "value": "benign"}
    assert reader.post(f"{MODEL}/labels", body).status_code == 403
    assert not LabelItem.objects.exists()


@pytest.fixture
def case(predictions: list[Prediction]) -> Quarantine:
    """Two labels of a key that were set aside."""
    now = timezone.now()
    found = Quarantine.objects.create(
        model=predictions[0].model,
        sender=str(KEY),
        suspicion="share",
        reason="Too many.",
        since=now - timedelta(hours=1),
        labels=2,
    )
    for row in predictions[:2]:
        Outcome.objects.create(
            prediction=row,
            model=row.model,
            label="malignant",
            received_at=now,
            received_from=str(KEY),
            quarantine=found,
            current=False,
        )
    return found


def test_a_quarantine_is_listed_and_decided(tenant: Tenant, api_for: ApiFor, case: Quarantine) -> None:
    reader, approver = api_for(tenant, "read"), named(tenant, "approver", "read", "deploy")
    [listed] = reader.get(f"{API}/quarantines", {"state": "open"}).json()["results"]
    assert (listed["sender"], listed["suspicion"], listed["labels"]) == (str(KEY), "share", 2)
    address = f"{API}/quarantines/{case.pk}"
    assert reader.post(f"{address}/release", {"reason": "x"}).status_code == 403
    assert approver.post(f"{address}/release", {}).status_code == 400
    assert approver.post(f"{address}/reject", {"reason": "stolen"}).json()["state"] == "rejected"
    assert not Outcome.objects.filter(current=True).exists()
    assert approver.post(f"{address}/reject", {"reason": "stolen"}).status_code == 409
    assert approver.post(f"{address}/release", {"reason": "not stolen"}).json()["decision"] == "not stolen"
    assert Outcome.objects.filter(current=True).count() == 2


def test_another_tenant_sees_and_decides_nothing(
    other_tenant: Tenant, api_for: ApiFor, case: Quarantine
) -> None:
    stranger = api_for(other_tenant)
    assert stranger.get(f"{API}/quarantines").json()["results"] == []
    for way in ("release", "reject"):
        assert stranger.post(f"{API}/quarantines/{case.pk}/{way}", {"reason": "x"}).status_code == 404
    with tenant_scope(other_tenant), tenant_transaction():
        assert not Quarantine.objects.exists()
    case.refresh_from_db()
    assert case.state == "open"


def test_the_settings_are_told_and_changed(
    tenant: Tenant, api_for: ApiFor, predictions: list[Prediction]
) -> None:
    approver, address = api_for(tenant, "read", "deploy"), f"{MODEL}/feedback-settings"
    assert approver.get(address).json()["least_labels"] == 100
    told = approver.put(address, {"least_labels": 500, "trusted": ["ann@clinic.example"]}).json()
    assert (told["least_labels"], told["trusted"], told["guard"]) == (500, ["ann@clinic.example"], True)
    wrong = approver.put(address, {"most_share": 7})
    assert (wrong.status_code, "most_share" in wrong.content.decode()) == (422, True)
    assert api_for(tenant, "feedback", "read").put(address, {"guard": False}).status_code == 403


def test_a_report_tells_how_much_was_set_aside(client: APIClient, case: Quarantine) -> None:
    row = Prediction.objects.filter(outcomes=None).first()
    assert row is not None
    told = client.post(f"{API}/outcomes", {"prediction": str(row.pk), "value": "benign"}).json()
    assert (told["accepted"], told["quarantined"]) == (1, 0)
    Quarantine.objects.update(sender=Outcome.objects.get(prediction=row).received_from)
    other = Prediction.objects.filter(outcomes=None).first()
    assert other is not None
    told = client.post(f"{API}/outcomes", {"prediction": str(other.pk), "value": "benign"}).json()
    assert (told["accepted"], told["quarantined"]) == (1, 1)
