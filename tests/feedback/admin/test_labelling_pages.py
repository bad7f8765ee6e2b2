"""Labelling and quarantines in the console."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from feedback.models import FeedbackSettings, LabelItem, Outcome, Quarantine
from feedback.services.labelling import give_label
from mlplatform.tenancy.actors import SYSTEM, Actor, ActorKind
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import Prediction
from registry.services.serving import predict
from tests.conftest import ConsoleFor
from tests.factories import make_champion, make_model, rows_of
from tests.plugins.application_role import whole_database

LABEL, QUARANTINE = "/admin/feedback/labelitem/label/", "/admin/feedback/quarantine/"
ANN = Actor(ActorKind.USER, "ann@clinic.example")


@pytest.fixture
def predictions(tenant: Tenant) -> list[Prediction]:
    with tenant_scope(tenant), tenant_transaction():
        champion = make_champion()
        return list(predict(model=champion.model, rows=rows_of(champion, 3), by=SYSTEM).predictions)


def page(client: Client, address: str = LABEL, **asked: Any) -> str:
    return client.get(address, asked, follow=True).content.decode()


def test_one_row_after_the_other_is_labelled(
    tenant: Tenant, predictions: list[Prediction], console_for: ConsoleFor
) -> None:
    client = console_for(tenant, Role.OPERATOR)
    shown = page(client)
    assert '<kbd class="c-keycap">2</kbd>malignant</button>' in shown
    assert "platform/labelling.js" in shown
    for left in (2, 1, 0):
        [asked] = [one for one in predictions if f'value="{one.pk}"' in page(client)]
        answer = client.post(LABEL, {"prediction": asked.pk, "value": "benign"}, follow=True)
        assert (b"Nothing to label" in answer.content) == (left == 0)
    with whole_database():
        sources = set(Outcome.all_tenants.values_list("source", "received_from"))
    assert sources == {("labelling", "operator@clinic.example")}


def test_a_number_is_typed(tenant: Tenant, console_for: ConsoleFor) -> None:
    with tenant_scope(tenant), tenant_transaction():
        version = make_champion(make_model(data="diabetes"))
        [row] = predict(model=version.model, rows=rows_of(version), by=SYSTEM).predictions
    client = console_for(tenant)
    assert 'id="labelling_value"' in page(client)
    wrong = client.post(LABEL, {"prediction": row.pk, "value": "many"}, follow=True).content.decode()
    assert "must be a finite number" in wrong
    assert f'value="{row.pk}"' in wrong
    client.post(LABEL, {"prediction": row.pk, "value": " 151.5 "})
    with whole_database():
        assert Outcome.all_tenants.get().value == 151.5


def test_a_row_is_skipped_and_a_second_opinion_asked_for(
    tenant: Tenant, predictions: list[Prediction], console_for: ConsoleFor
) -> None:
    client = console_for(tenant, Role.OPERATOR)
    client.post(LABEL, {"prediction": predictions[0].pk, "skip": "1"})
    client.post(LABEL, {"prediction": predictions[1].pk, "value": "malignant", "second": "1"})
    assert f'value="{predictions[2].pk}"' in page(client)
    with whole_database():
        item = LabelItem.all_tenants.get(prediction=predictions[1])
        assert not Outcome.all_tenants.exists()
    other = console_for(tenant, Role.APPROVER)
    assert f'value="{predictions[1].pk}"' in page(other)
    hidden = page(other, f"/admin/feedback/labelitem/{item.pk}/change/")
    assert "not shown yet" in hidden
    assert "malignant" not in hidden


def test_a_disagreement_is_shown_and_decided(
    tenant: Tenant, predictions: list[Prediction], console_for: ConsoleFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        give_label(prediction=predictions[0], value="benign", by=ANN, second=True)
    client = console_for(tenant, Role.OPERATOR)
    client.post(LABEL, {"prediction": predictions[0].pk, "value": "malignant"})
    with whole_database():
        item = LabelItem.all_tenants.get()
    address = f"/admin/feedback/labelitem/{item.pk}/"
    assert "Two people disagree" in page(client, f"{address}change/")
    refused = client.post(f"{address}decide/", {"value": "benign", "reason": "x"}).content.decode()
    assert "You are one of the two" in refused
    approver = console_for(tenant, Role.APPROVER)
    told = approver.post(f"{address}decide/", {"value": "benign", "reason": "the biopsy"}, follow=True)
    assert "recorded as the outcome" in told.content.decode()
    with whole_database():
        assert Outcome.all_tenants.get().label == "benign"
    assert "How far people who label agree" in page(
        client, f"/admin/registry/registeredmodel/{predictions[0].model_id}/change/"
    )


def test_whoever_only_looks_labels_nothing(
    tenant: Tenant, predictions: list[Prediction], console_for: ConsoleFor
) -> None:
    viewer = console_for(tenant, Role.VIEWER)
    assert viewer.get(LABEL).status_code == 403
    assert viewer.post(LABEL, {"prediction": predictions[0].pk, "value": "benign"}).status_code == 403
    assert viewer.get("/admin/feedback/labelitem/").status_code == 200


def test_another_tenants_row_is_unknown(
    other_tenant: Tenant, predictions: list[Prediction], console_for: ConsoleFor
) -> None:
    told = console_for(other_tenant).post(
        LABEL, {"prediction": predictions[0].pk, "value": "benign"}, follow=True
    )
    assert "There is no prediction" in told.content.decode()
    with whole_database():
        assert not Outcome.all_tenants.exists()


@pytest.fixture
def case(tenant: Tenant, predictions: list[Prediction]) -> Quarantine:
    with tenant_scope(tenant), tenant_transaction():
        now = timezone.now()
        found = Quarantine.objects.create(
            model=predictions[0].model,
            sender="api key laboratory",
            suspicion="balance",
            reason="100% of 60 labels are malignant.",
            numbers={"share": 1.0, "before": 0.5},
            since=now - timedelta(hours=1),
            labels=1,
        )
        Outcome.objects.create(
            prediction=predictions[0],
            model=predictions[0].model,
            label="malignant",
            received_at=now,
            received_from=found.sender,
            quarantine=found,
            current=False,
        )
    return found


def test_what_is_set_aside_is_told_on_the_dashboard_and_on_its_page(
    tenant: Tenant, case: Quarantine, console_for: ConsoleFor
) -> None:
    client = console_for(tenant)
    assert "Labels of api key laboratory for cancer are set aside" in page(client, "/admin/")
    shown = page(client, f"{QUARANTINE}{case.pk}/change/")
    assert "100% of 60 labels are malignant." in shown
    assert "None of them counts" in shown
    assert "Set aside" in page(client, "/admin/feedback/outcome/", quarantine__id__exact=case.pk)


def test_it_is_released_and_rejected_with_a_reason(
    tenant: Tenant, case: Quarantine, console_for: ConsoleFor
) -> None:
    operator, approver = console_for(tenant, Role.OPERATOR), console_for(tenant, Role.APPROVER)
    address = f"{QUARANTINE}{case.pk}/"
    assert operator.post(f"{address}release/", {"reason": "x"}).status_code == 403
    assert "This field is required" in approver.post(f"{address}release/", {}).content.decode()
    told = approver.post(f"{address}release/", {"reason": "a new ward"}, follow=True).content.decode()
    assert "a new ward" in told
    with whole_database():
        assert Outcome.all_tenants.get().current
    approver.post(f"{address}reject/", {"reason": "no"})
    with whole_database():
        assert not Outcome.all_tenants.get().current


def test_the_settings_are_changed(
    tenant: Tenant, predictions: list[Prediction], console_for: ConsoleFor
) -> None:
    address = f"/admin/registry/registeredmodel/{predictions[0].model_id}/feedback-settings/"
    client = console_for(tenant)
    form = {
        "second_opinion_share": 0.2,
        "number_tolerance": 0.1,
        "least_labels": 500,
        "most_share": 0.5,
        "false_alarm_rate": 0.001,
        "least_change": 0.1,
        "least_compared": 20,
        "most_disagreement": 0.2,
    }
    client.post(address, {**form, "trusted": "ann@clinic.example\n\napi key laboratory"})
    with whole_database():
        stored = FeedbackSettings.all_tenants.get()
    assert (stored.guard, stored.least_labels) == (False, 500)
    assert stored.trusted == ["ann@clinic.example", "api key laboratory"]
    assert "ann@clinic.example" in page(client, address)
