"""Whoever reads the log of predictions is in the trail."""

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import Prediction
from registry.services.pseudonyms import entity_pseudonym
from registry.services.serving import predict
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_champion, rows_of

PREDICTIONS = "/api/v1/predictions"


def one_prediction(tenant: Tenant) -> Prediction:
    with tenant_scope(tenant), tenant_transaction():
        version = make_champion()
        return predict(model=version.model, rows=rows_of(version, 3), by=SYSTEM).predictions[0]


def reads(tenant: Tenant) -> list[tuple[str, str, str, dict[str, object]]]:
    with tenant_scope(tenant), tenant_transaction():
        events = AuditEvent.objects.filter(object_type="registry.prediction").order_by("sequence")
        return [(event.action, event.actor_kind, event.object_id, event.details) for event in events]


def test_reads_over_the_api_are_recorded(tenant: Tenant, api_for: ApiFor) -> None:
    prediction, client = one_prediction(tenant), api_for(tenant)
    client.get(PREDICTIONS, {"limit": "2"})
    client.get(f"{PREDICTIONS}/{prediction.pk}")
    assert reads(tenant) == [
        ("predictions.read", "api_key", "", {"rows": 2, "asked": {"limit": "2"}}),
        ("prediction.read", "api_key", str(prediction.pk), {}),
    ]


def test_reads_in_the_console_are_recorded(tenant: Tenant, console_for: ConsoleFor) -> None:
    prediction, client = one_prediction(tenant), console_for(tenant)
    client.get("/admin/registry/prediction/", {"q": "nobody"})
    client.get(f"/admin/registry/prediction/{prediction.pk}/change/")
    assert reads(tenant) == [
        ("predictions.read", "user", "", {"rows": 0, "asked": {"q": pseudonym_of(tenant, "nobody")}}),
        ("prediction.read", "user", str(prediction.pk), {}),
    ]


def pseudonym_of(tenant: Tenant, key: str) -> str:
    with tenant_scope(tenant), tenant_transaction():
        return entity_pseudonym(key)
