"""The tenant's settings, by the console and the API."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.settings import SETTINGS, change_settings, setting
from tests.conftest import ApiFor, ConsoleFor

PAGE, API = "/admin/settings/", "/api/v1/tenant"
DAYS = {"outcome_match_days": 30, "outcome_hold_days": 7}
USUAL = {**dict.fromkeys(SETTINGS, False), "time_zone": "", **DAYS}
FORM = DAYS
OTHER = {**dict.fromkeys(SETTINGS, True), "time_zone": "Asia/Tokyo", **dict.fromkeys(DAYS, 5)}


def changes_recorded(tenant: Tenant) -> list[tuple[Any, Any]]:
    with tenant_scope(tenant), tenant_transaction():
        events = AuditEvent.objects.filter(action="tenant.settings_changed").order_by("sequence")
        return [(event.before, event.after) for event in events]


def test_an_admin_changes_a_setting_in_the_console(tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant)
    page = client.get(PAGE).content.decode()
    assert "Settings of North Clinic" in page
    assert "are sent to set one up" in page
    assert client.post(PAGE, {**FORM, "require_second_factor": "on"})["Location"] == PAGE
    tenant.refresh_from_db()
    assert tenant.require_second_factor
    assert changes_recorded(tenant) == [({"require_second_factor": False}, {"require_second_factor": True})]


def test_what_stays_as_it_was_is_not_recorded(tenant: Tenant, console_for: ConsoleFor) -> None:
    console_for(tenant).post(PAGE, FORM)
    assert changes_recorded(tenant) == []


@pytest.mark.parametrize("role", [role for role in Role.values if role != Role.ADMIN])
def test_only_admins_see_and_change_them(role: str, tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant, role)
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, {"require_second_factor": "on"}).status_code == 403
    assert client.patch(API, {"require_second_factor": True}, "application/json").status_code == 403
    assert "/admin/settings/" not in client.get("/admin/").content.decode()
    tenant.refresh_from_db()
    assert not tenant.require_second_factor


def test_nobody_gets_in_without_signing_in(db: None) -> None:
    assert Client().get(PAGE).status_code == 302


def test_the_api_reads_and_changes_them(tenant: Tenant, api_for: ApiFor) -> None:
    client = api_for(tenant)
    shown = client.get(API).json()
    assert shown["slug"] == "clinic"
    assert {name: shown[name] for name in SETTINGS} == USUAL
    assert client.patch(API, {"require_second_factor": True}).json()["require_second_factor"] is True
    assert client.patch(API, {}).status_code == 200
    assert len(changes_recorded(tenant)) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"slug": "mine"},
        {"name": "Other"},
        {"is_active": False},
        {"tenant": 1},
        {"requests_per_minute": 10**9},
        {"require_second_factor": "perhaps"},
        {"require_second_factor": None},
        {"time_zone": "Europe/Atlantis"},
        {"outcome_match_days": 0},
        [],
        "x",
    ],
)
def test_anything_else_is_refused(body: object, tenant: Tenant, api_for: ApiFor) -> None:
    assert api_for(tenant).patch(API, body).status_code == 400
    assert changes_recorded(tenant) == []


def test_a_change_stays_in_its_tenant(tenant: Tenant, other_tenant: Tenant, api_for: ApiFor) -> None:
    api_for(tenant).patch(API, {"require_second_factor": True})
    other_tenant.refresh_from_db()
    assert not other_tenant.require_second_factor


def test_the_form_says_what_measuring_groups_of_personal_columns_means(
    tenant: Tenant, console_for: ConsoleFor
) -> None:
    client = console_for(tenant)
    page = client.get(PAGE).content.decode()
    assert "Everybody who may see the model sees the figures" in page
    assert "what was measured before is not shown" in page
    client.post(PAGE, {**FORM, "measure_personal_groups": "on"})
    told = {"measure_personal_groups": False}, {"measure_personal_groups": True}
    assert changes_recorded(tenant) == [told]


def _command(tenant: Tenant, *options: str) -> dict[str, object]:
    out = StringIO()
    call_command("tenant_settings", f"--tenant={tenant.slug}", "--json", *options, stdout=out)
    shown: dict[str, object] = json.loads(out.getvalue())
    return shown


def test_the_command_shows_and_changes_them(tenant: Tenant) -> None:
    assert _command(tenant) == USUAL
    assert changes_recorded(tenant) == []
    assert _command(tenant, "--measure-personal-groups")["measure_personal_groups"] is True
    assert _command(tenant)["measure_personal_groups"] is True
    assert _command(tenant, "--no-measure-personal-groups", "--require-second-factor") == {
        **USUAL,
        "require_second_factor": True,
    }
    assert len(changes_recorded(tenant)) == 2
    assert _command(tenant, "--time-zone=Europe/Berlin")["time_zone"] == "Europe/Berlin"
    assert _command(tenant, "--outcome-match-days=3")["outcome_match_days"] == 3


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_read_as_it_stands_now_and_of_the_active_tenant_alone(
    name: str, in_tenant: Tenant, other_tenant: Tenant
) -> None:
    assert setting(name) == USUAL[name]
    change_settings(changes={name: OTHER[name]}, by=SYSTEM)
    assert setting(name) == OTHER[name]
    with tenant_scope(other_tenant):
        assert setting(name) == USUAL[name]


def test_the_service_names_what_is_no_setting(in_tenant: Tenant) -> None:
    with pytest.raises(InvalidInput) as refused:
        change_settings(changes={"slug": "other"}, by=SYSTEM)
    assert refused.value.fields == {"slug": ["No such setting."]}
