"""Denied requests are in the trail, whichever door was tried."""

import pytest
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import ApiKey, AuditEvent, Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.settings import change_settings
from registry.services.serving import predict
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_champion, make_model, rows_of


def denied(tenant: Tenant) -> list[tuple[str, str, int]]:
    with tenant_scope(tenant), tenant_transaction():
        events = AuditEvent.objects.filter(action="access.denied").order_by("sequence")
        return [(event.actor_kind, event.object_label, event.details["status"]) for event in events]


def test_a_key_without_the_scope_is_recorded(tenant: Tenant, api_for: ApiFor) -> None:
    api_for(tenant, "read").post("/api/v1/models", {})
    assert denied(tenant) == [("api_key", "POST /api/v1/models", 403)]


def test_a_foreign_object_and_a_missing_one_are_recorded_alike(
    tenant: Tenant, other_tenant: Tenant, api_for: ApiFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        make_model("secret")
    stranger = api_for(other_tenant)
    for name in ("secret", "nothing"):
        assert stranger.get(f"/api/v1/models/{name}").status_code == 404
    assert denied(other_tenant) == [
        ("api_key", "GET /api/v1/models/secret", 404),
        ("api_key", "GET /api/v1/models/nothing", 404),
    ]
    assert denied(tenant) == []


def test_the_console_records_pages_that_are_not_for_the_person(
    tenant: Tenant, other_tenant: Tenant, console_for: ConsoleFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        model = make_model("secret")
    viewer = console_for(other_tenant, Role.VIEWER)
    page = f"/admin/registry/registeredmodel/{model.pk}/change/"
    assert viewer.get("/admin/tenancy/auditevent/").status_code == 403
    assert viewer.get(page).status_code == 302
    assert denied(other_tenant) == [
        ("user", "GET /admin/tenancy/auditevent/", 403),
        ("user", f"GET {page}", 302),
    ]


@pytest.mark.parametrize("path", ["/api/v1/nothing-here", "/admin/nothing-here/", "/api/v1/models"])
def test_an_address_that_does_not_exist_is_no_attempt(
    tenant: Tenant, api_for: ApiFor, console_for: ConsoleFor, path: str
) -> None:
    (api_for(tenant) if path.startswith("/api") else console_for(tenant)).get(path)
    assert denied(tenant) == []


def test_who_is_not_signed_in_writes_nothing(tenant: Tenant) -> None:
    APIClient().get("/api/v1/models/secret")
    assert denied(tenant) == []


def test_a_foreign_name_in_a_body_is_recorded_like_one_in_the_address(
    tenant: Tenant, other_tenant: Tenant, api_for: ApiFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        make_model("secret")
    body = {"model": "secret", "name": "nightly", "kind": "cron", "cron": "0 3 * * *"}
    assert api_for(other_tenant).post("/api/v1/schedules", body).status_code == 404
    assert denied(other_tenant) == [("api_key", "POST /api/v1/schedules", 404)]


def test_a_foreign_choice_in_a_form_is_recorded(
    tenant: Tenant, other_tenant: Tenant, console_for: ConsoleFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        model = make_model("secret")
    page = "/admin/training/retrainingschedule/add/"
    answer = console_for(other_tenant).post(page, {"model": model.pk, "name": "x", "kind": "cron"})
    assert answer.status_code == 200
    assert "secret" not in answer.content.decode()
    assert denied(other_tenant) == [("user", f"POST {page}", 200)]


def test_a_foreign_selection_in_a_list_affects_nothing_and_is_recorded(
    tenant: Tenant, other_tenant: Tenant, api_for: ApiFor, console_for: ConsoleFor
) -> None:
    api_for(tenant)
    with tenant_scope(tenant):
        key = ApiKey.objects.get()
    page = "/admin/tenancy/apikey/"
    sent = {"action": "revoke_selected", "_selected_action": [str(key.pk), "x"]}
    console_for(other_tenant).post(page, sent)
    with tenant_scope(tenant):
        assert ApiKey.objects.get().revoked_at is None
    assert denied(other_tenant) == [("user", f"POST {page}", 302)]


def test_a_choice_that_was_offered_is_no_attempt(
    tenant: Tenant, api_for: ApiFor, console_for: ConsoleFor
) -> None:
    api_for(tenant)
    with tenant_scope(tenant):
        key = ApiKey.objects.get()
    sent = {"action": "revoke_selected", "_selected_action": [str(key.pk)]}
    console_for(tenant).post("/admin/tenancy/apikey/", sent)
    with tenant_scope(tenant):
        assert ApiKey.objects.get().revoked_at is not None
    assert denied(tenant) == []


@pytest.mark.parametrize("partial", [False, True])
def test_outcomes_of_foreign_predictions_are_recorded(
    tenant: Tenant, other_tenant: Tenant, api_for: ApiFor, partial: bool
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        version = make_champion()
        answered = predict(model=version.model, rows=rows_of(version), by=SYSTEM).predictions[0]
    with tenant_scope(other_tenant):
        change_settings(changes={"outcome_hold_days": 0}, by=SYSTEM)  # what is unknown is refused at once
    outcomes = [{"prediction": str(answered.pk), "value": "benign"}]
    sent = api_for(other_tenant).post("/api/v1/outcomes", {"outcomes": outcomes, "partial": partial})
    assert "unknown_prediction" in sent.content.decode()
    with tenant_scope(other_tenant):
        event = AuditEvent.objects.get(action="outcomes.refused")
    assert (event.actor_kind, event.details) == ("api_key", {"unknown": 1, "first": str(answered.pk)})
