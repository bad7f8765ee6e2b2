"""Outcomes in the console."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from feedback.models import Outcome
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import Prediction
from registry.services.serving import predict
from tests.conftest import ConsoleFor
from tests.factories import make_champion, rows_of
from tests.plugins.application_role import whole_database

OUTCOMES = "/admin/feedback/outcome/"


@pytest.fixture
def predictions(tenant: Tenant) -> list[Prediction]:
    with tenant_scope(tenant), tenant_transaction():
        champion = make_champion()
        return list(predict(model=champion.model, rows=rows_of(champion, 2), by=SYSTEM).predictions)


def _file(*lines: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("outcomes.csv", "\n".join(["prediction_id,outcome", *lines]).encode())


def test_an_outcome_is_added_from_the_predictions_page(
    tenant: Tenant, predictions: list[Prediction], console_for: ConsoleFor
) -> None:
    client = console_for(tenant, Role.OPERATOR)
    page = client.get(f"/admin/registry/prediction/{predictions[0].pk}/change/").content.decode()
    assert f"/admin/feedback/outcome/add/?prediction={predictions[0].pk}" in page
    answer = client.post(f"{OUTCOMES}add/", {"prediction": predictions[0].pk, "value": "benign"}, follow=True)
    assert "1 recorded" in answer.content.decode()
    with whole_database():
        outcome = Outcome.all_tenants.get()
    assert (outcome.label, outcome.source) == ("benign", "console")


def test_a_class_that_is_none_is_refused_with_the_classes(
    tenant: Tenant, predictions: list[Prediction], console_for: ConsoleFor
) -> None:
    page = console_for(tenant).post(f"{OUTCOMES}add/", {"prediction": predictions[0].pk, "value": "purple"})
    assert "malignant" in page.content.decode()
    with whole_database():
        assert not Outcome.all_tenants.exists()


def test_another_tenants_prediction_is_unknown(
    other_tenant: Tenant, predictions: list[Prediction], console_for: ConsoleFor
) -> None:
    page = console_for(other_tenant).post(
        f"{OUTCOMES}add/", {"prediction": predictions[0].pk, "value": "benign"}, follow=True
    )
    assert "1 held until their prediction is known" in page.content.decode()
    with whole_database():
        assert not Outcome.all_tenants.exists()


def test_a_file_is_imported(tenant: Tenant, predictions: list[Prediction], console_for: ConsoleFor) -> None:
    upload = _file(*(f"{one.pk},benign" for one in predictions))
    page = console_for(tenant).post(f"{OUTCOMES}import-file/", {"file": upload}, follow=True)
    assert "2 recorded" in page.content.decode()


def test_one_wrong_row_keeps_the_whole_file_out_unless_asked(
    tenant: Tenant, predictions: list[Prediction], console_for: ConsoleFor
) -> None:
    lines = [f"{predictions[0].pk},benign", "nonsense,benign"]
    client = console_for(tenant)
    page = client.post(f"{OUTCOMES}import-file/", {"file": _file(*lines)})
    assert "1 of 2 outcomes cannot be recorded" in page.content.decode()
    with whole_database():
        assert not Outcome.all_tenants.exists()
    page = client.post(f"{OUTCOMES}import-file/", {"file": _file(*lines), "partial": "on"}, follow=True)
    assert "1 recorded, 1 left out" in page.content.decode()


def test_a_preview_tells_what_would_come_of_it(
    tenant: Tenant, predictions: list[Prediction], console_for: ConsoleFor
) -> None:
    sent = {"file": _file(f"{predictions[0].pk},benign", f"{predictions[1].pk},cured"), "preview": "1"}
    page = console_for(tenant).post(f"{OUTCOMES}import-file/", sent).content.decode()
    assert "What would come of it" in page
    assert "is not a class of this model" in page
    with whole_database():
        assert not Outcome.all_tenants.exists()


def test_an_outcome_is_added_by_the_clients_own_key(
    tenant: Tenant, predictions: list[Prediction], console_for: ConsoleFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        model = predictions[0].model
        rows = rows_of(predictions[0].version)
        predict(model=model, rows=rows, entity_keys=["patient-17"], by=SYSTEM)
    sent = {"entity_key": "patient-17", "model": model.pk, "value": "benign"}
    page = console_for(tenant).post(f"{OUTCOMES}add/", sent, follow=True)
    assert "1 recorded" in page.content.decode()


def test_a_viewer_imports_nothing(tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant, Role.VIEWER)
    assert client.get(f"{OUTCOMES}import-file/").status_code == 403
    assert "Import from file" not in client.get(OUTCOMES).content.decode()
