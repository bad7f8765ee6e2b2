"""The audit trail in the console."""

import json

import pytest
from django.utils.html import escape
from django.utils.http import urlencode

from mlplatform.tenancy.actors import SYSTEM, Actor, ActorKind
from mlplatform.tenancy.models import ApiKey, AuditEvent, Role, Tenant
from mlplatform.tenancy.request_context import request_context
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.audit import Subject, record
from mlplatform.tenancy.services.tenants import add_member, change_role, remove_member
from tests.conftest import ApiFor, ConsoleFor

TRAIL = "/admin/tenancy/auditevent/"


def test_the_trail_is_searched_and_links_to_the_object(
    tenant: Tenant, console_for: ConsoleFor, api_for: ApiFor
) -> None:
    api_for(tenant)
    client = console_for(tenant)
    assert "api_key.created" in client.get(f"{TRAIL}?q=test").content.decode()
    with tenant_scope(tenant):
        event, key = AuditEvent.objects.get(action="api_key.created"), ApiKey.objects.get()
    assert (
        f"/admin/tenancy/apikey/{key.pk}/change/" in client.get(f"{TRAIL}{event.pk}/change/").content.decode()
    )


def test_an_objects_history_is_its_events(tenant: Tenant, console_for: ConsoleFor, api_for: ApiFor) -> None:
    api_for(tenant)
    with tenant_scope(tenant):
        key = ApiKey.objects.get()
    page = console_for(tenant).get(f"/admin/tenancy/apikey/{key.pk}/history/").content.decode()
    assert "api_key.created" in page
    assert "tenant.created" not in page


def test_the_trail_cannot_be_changed(tenant: Tenant, console_for: ConsoleFor) -> None:
    with tenant_scope(tenant):
        event = AuditEvent.objects.first()
    assert event is not None
    client = console_for(tenant)
    assert client.post(f"{TRAIL}{event.pk}/change/", {"action": "x"}).status_code == 405
    assert client.post(f"{TRAIL}{event.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{TRAIL}add/").status_code == 403


def test_only_admins_read_it(tenant: Tenant, console_for: ConsoleFor) -> None:
    assert console_for(tenant, Role.APPROVER).get(TRAIL).status_code == 403


def test_another_tenants_events_are_not_in_it(
    tenant: Tenant, other_tenant: Tenant, console_for: ConsoleFor
) -> None:
    page = console_for(tenant).get(TRAIL).content.decode()
    assert "North Clinic" in page
    assert "Hill Winery" not in page


def test_what_changed_stands_side_by_side(tenant: Tenant, in_tenant: Tenant, console_for: ConsoleFor) -> None:
    member = add_member(email="ann@clinic.example", role=Role.VIEWER, by=SYSTEM)
    change_role(membership=member, role=Role.OPERATOR, by=SYSTEM)
    event = AuditEvent.objects.get(action="member.role_changed")
    client = console_for(tenant)
    for page in (f"{TRAIL}{event.pk}/change/", TRAIL, f"/admin/tenancy/membership/{member.pk}/history/"):
        shown = client.get(page).content.decode()
        assert "viewer" in shown
        assert "operator" in shown


def test_an_event_about_a_whole_table_or_a_route_has_a_page(
    in_tenant: Tenant, console_for: ConsoleFor
) -> None:
    client = console_for(in_tenant)
    for target in (AuditEvent, Subject("route", "api:model", "GET /x"), Subject("gone.table", "1", "Gone")):
        event = record(by=SYSTEM, action="seen", target=target)
        assert client.get(f"{TRAIL}{event.pk}/change/").status_code == 200


def test_the_export_asks_for_days_and_streams(tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant)
    assert "Export" in client.get(TRAIL).content.decode()
    assert "JSON Lines" in client.get(f"{TRAIL}export/").content.decode()
    whole = b"".join(client.post(f"{TRAIL}export/", {"form": "csv"})).decode()
    assert "tenant.created" in whole
    early = b"".join(client.post(f"{TRAIL}export/", {"form": "csv", "until": "2001-01-01"})).decode()
    assert len(early.splitlines()) == 1


def test_only_admins_export(tenant: Tenant, console_for: ConsoleFor) -> None:
    assert console_for(tenant, Role.APPROVER).post(f"{TRAIL}export/", {"form": "csv"}).status_code == 403


def test_a_deleted_objects_history_stays(tenant: Tenant, in_tenant: Tenant, console_for: ConsoleFor) -> None:
    member = add_member(email="ann@clinic.example", role=Role.VIEWER, by=SYSTEM)
    history = f"/admin/tenancy/membership/{member.pk}/history/"
    remove_member(membership=member, by=SYSTEM)
    event = AuditEvent.objects.get(action="member.removed")
    client = console_for(tenant)
    assert history in client.get(f"{TRAIL}{event.pk}/change/").content.decode()
    page = client.get(history).content.decode()
    assert "ann@clinic.example (viewer) (deleted)" in page
    assert "member.added" in page
    assert "member.removed" in page


def test_what_the_trail_never_told_of_has_no_history(
    tenant: Tenant, other_tenant: Tenant, console_for: ConsoleFor
) -> None:
    with tenant_scope(other_tenant):
        member = add_member(email="bob@winery.example", role=Role.VIEWER, by=SYSTEM)
        remove_member(membership=member, by=SYSTEM)
    for key in (member.pk, 999999, "nonsense"):
        history = f"/admin/tenancy/membership/{key}/history/"
        assert console_for(tenant).get(history).status_code == 404
        # Who may see no member at all is told that, whichever member it is.
        assert console_for(tenant, Role.VIEWER).get(history).status_code == 403


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"q": "10.1.2.3"}, ["b"]),
        ({"q": "request-two"}, ["b"]),
        ({"actor_label__icontains": "nightly"}, ["a"]),
        ({"request_id__icontains": "request-one"}, ["a"]),
        ({"address__icontains": "10.1.2.3"}, ["b"]),
        ({"object_id__icontains": "42"}, ["b"]),
        ({"actor_kind__exact": "schedule"}, ["a"]),
        ({"action": "thing.b"}, ["b"]),
        ({"at_from": "2020-01-01"}, ["a", "b"]),
        ({"at_to": "2020-01-01"}, []),
        ({"at_from": "no day"}, ["a", "b"]),
    ],
)
def test_the_list_and_its_export_are_filtered_alike(
    in_tenant: Tenant, console_for: ConsoleFor, asked: dict[str, str], found: list[str]
) -> None:
    nightly = Actor(ActorKind.SCHEDULE, "nightly", 1)
    with request_context(request_id="request-one", address="10.9.9.9"):
        first = record(by=nightly, action="thing.a", target=Subject("thing", "7", "Seven"))
    with request_context(request_id="request-two", address="10.1.2.3"):
        second = record(by=SYSTEM, action="thing.b", target=Subject("thing", "42", "Answer"))
    client = console_for(in_tenant)
    page = client.get(TRAIL, asked).content.decode()
    address = f"{TRAIL}export/?{urlencode(asked)}"
    assert escape(address) in page
    sent = b"".join(client.post(address, {"form": "jsonl"})).decode().splitlines()
    told = [json.loads(line)["action"] for line in sent]
    assert [action for action in told if action.startswith("thing")] == [f"thing.{one}" for one in found]
    events = {"a": first, "b": second}
    assert [name for name, event in events.items() if f"{TRAIL}{event.pk}/change/" in page] == found


def test_an_export_under_an_unknown_filter_is_refused(tenant: Tenant, console_for: ConsoleFor) -> None:
    address = f"{TRAIL}export/?created_by__password__startswith=p"
    answer = console_for(tenant).post(address, {"form": "csv"}, follow=True)
    assert "no such filter" in answer.content.decode()
