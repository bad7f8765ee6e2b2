"""What a key's list of models or "no access" hides: walked through every route and every page.

One model and everything that hangs on it bears a canary. A key for another model, and a person without access
to this one, must find no trace of it, by whatever way they ask.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import ApiKey, Membership, Role, Scope, Tenant, User
from mlplatform.tenancy.permissions import ADMIN_ONLY, Capability
from mlplatform.tenancy.scope import Sight, tenant_scope, tenant_transaction
from mlplatform.tenancy.services.api_keys import create_api_key
from mlplatform.tenancy.services.grants import give_right
from mlplatform.tenancy.walls import tenant_models
from registry.models import Dataset, Prediction, RegisteredModel
from tests.architecture.test_routes import NO_NUMBER, NO_UUID, ON_A_QUESTION, POLICY, WRITES, send, told
from tests.conftest import ApiFor, ConsoleFor
from tests.console import WITH_PAGES
from tests.factories import make_champion, make_model
from tests.world import populate
from training.models import DataSource

HIDDEN, SEEN = "canary-of-the-clinic", "seen"
SCOPES = [scope for scope in Scope.values if scope != Scope.ADMIN]
# Routes of a tenant's role, by what they name: the members, keys, teams and the trail are the admin's.
ROUTES = {route: policy for route, policy in POLICY.items() if policy not in {"admin", "public"}}
BODIES: dict[str, dict[str, Any]] = {
    "POST jobs": {"model": HIDDEN, "dataset": 1},
    "POST schedules": {"model": HIDDEN, "name": "x", "kind": "cron", "cron": "0 3 * * *"},
    "POST alert-rules": {"model": HIDDEN, "metric": "drift_share", "threshold": 0.5},
}
Asker = Callable[[], Any]


@pytest.fixture
def rows(tenant: Tenant) -> dict[str, Any]:
    """Everything of the hidden model; another model stands beside it."""
    found = populate(tenant, HIDDEN)
    with tenant_scope(tenant), tenant_transaction():
        Dataset.objects.update(model=found["models"])  # as if it were made from the model's own feedback
        DataSource.objects.update(model=found["models"])
        make_champion(make_model(SEEN))
    return found


def key_client(tenant: Tenant, *scopes: str) -> APIClient:
    with tenant_scope(tenant):
        made = create_api_key(name="for one", scopes=scopes or SCOPES, models=[SEEN], by=SYSTEM)
    return APIClient(headers={"Authorization": f"Bearer {made.secret}"})


@pytest.fixture
def person(tenant: Tenant, rows: dict[str, Any], console_for: ConsoleFor) -> Client:
    """An approver without access to the hidden model."""
    client = console_for(tenant, Role.APPROVER)
    with tenant_scope(tenant), tenant_transaction():
        member = Membership.objects.get(user__email=f"approver@{tenant.slug}.example")
        give_right(model=rows["models"], holder=member, role="none", by=SYSTEM)
    return client


def test_every_tenant_table_hides_what_hangs_on_a_hidden_model(tenant: Tenant, rows: dict[str, Any]) -> None:
    """The manager itself is asked, as every list, count, choice and search of the platform asks it."""
    for model in tenant_models():
        table: Any = model
        with tenant_scope(tenant), tenant_transaction():
            hidden = {row.pk for row in table.objects.all() if _belongs_to(row, HIDDEN)}
            others = {row.pk for row in table.objects.all()} - hidden
        assert hidden or table.model_link is None, f"the test's world holds no row of {table}"
        for sight in (Sight(only=frozenset([SEEN])), Sight(hidden=frozenset([HIDDEN]))):
            with tenant_scope(tenant, sight), tenant_transaction():
                assert set(table.objects.values_list("pk", flat=True)) == others, table
                assert not table.objects.filter(pk__in=hidden).exists(), table
                assert table.objects.count() == len(others), table


def _belongs_to(row: Any, name: str) -> bool:
    model = row.registered_model()
    return model is not None and model.name == name


def test_key_for_another_model_reads_no_trace(tenant: Tenant, rows: dict[str, Any]) -> None:
    client = key_client(tenant)
    for route in ROUTES:
        if route.startswith("GET") and "{" not in route and route not in ON_A_QUESTION:
            answer = send(client, route, rows)
            assert answer.status_code == 200, route
            assert HIDDEN not in answer.content.decode(), route


def test_key_for_another_model_finds_nothing_by_name_or_number(tenant: Tenant, rows: dict[str, Any]) -> None:
    _finds_nothing(key_client(tenant), rows)


def test_person_without_access_reads_no_trace_over_the_api(
    tenant: Tenant, rows: dict[str, Any], person: Client
) -> None:
    for route in ROUTES:
        if route.startswith("GET") and "{" not in route and route not in ON_A_QUESTION:
            answer = send(person, route, rows)  # type: ignore[arg-type]  # a client all the same
            assert answer.status_code == 200, route
            assert HIDDEN not in answer.content.decode(), route


def test_person_without_access_finds_nothing_by_name_or_number(rows: dict[str, Any], person: Client) -> None:
    _finds_nothing(person, rows)  # type: ignore[arg-type]  # a client all the same


def _finds_nothing(client: APIClient, rows: dict[str, Any]) -> None:
    for route in ROUTES:
        if "{" not in route:
            continue
        kind = route.partition(" ")[2].partition("/{pk}")[0].rpartition("/")[2]
        hidden, missing = send(client, route, rows), send(client, route, rows, missing=True)
        asked = [HIDDEN, *([rows[kind].pk] if kind in rows else [])]
        assert hidden.status_code in {404, 400}, route
        assert hidden.status_code == 404 or route.startswith(WRITES), route
        assert told(hidden, *asked) == told(missing, "no-such-model", NO_NUMBER, NO_UUID), route


@pytest.mark.parametrize("route", BODIES)
def test_hidden_model_named_in_a_body_is_not_found(route: str, tenant: Tenant, rows: dict[str, Any]) -> None:
    client, path = key_client(tenant), f"/api/v1/{route.partition(' ')[2]}"
    hidden = client.post(path, BODIES[route])
    missing = client.post(path, {**BODIES[route], "model": "no-such-model"})
    assert hidden.status_code == 404
    assert told(hidden, HIDDEN) == told(missing, "no-such-model")


def test_hidden_dataset_and_prediction_named_in_a_body_are_not_found(
    tenant: Tenant, rows: dict[str, Any]
) -> None:
    client = key_client(tenant)
    job = client.post("/api/v1/jobs", {"model": SEEN, "dataset": rows["datasets"].pk})
    assert job.json()["code"] == "dataset_not_found"
    outcome = {"prediction": str(rows["predictions"].pk), "value": "benign"}
    report = client.post("/api/v1/outcomes", {"outcomes": [outcome]})
    absent = client.post("/api/v1/outcomes", {"outcomes": [{**outcome, "prediction": NO_UUID}]})
    assert told(report, rows["predictions"].pk) == told(absent, NO_UUID)
    assert (report.status_code, report.json()["held"]) == (201, 1)


def test_what_waits_for_a_model_that_is_not_known_yet_is_shown_to_those_alone_who_see_all(
    tenant: Tenant, rows: dict[str, Any], person: Client, api_for: ApiFor
) -> None:
    early = {"prediction": NO_UUID, "value": "benign", "comment": HIDDEN}
    limited, whole = key_client(tenant), api_for(tenant)
    for client in (limited, whole):
        assert client.post("/api/v1/outcomes", early).json()["held"] == 1
    blind: list[Client] = [limited, person]
    for one in blind:
        assert one.get("/api/v1/held-outcomes").json()["results"] == []
        assert one.get("/api/v1/held-outcomes/counts").json()["waiting"] == 0
    assert whole.get("/api/v1/held-outcomes/counts").json()["waiting"] == 3


def test_nothing_of_the_hidden_model_was_changed(
    tenant: Tenant, rows: dict[str, Any], person: Client
) -> None:
    def state() -> list[Any]:
        with tenant_scope(tenant), tenant_transaction():
            tables: list[Any] = [model for model in tenant_models() if model.model_link is not None]
            rows = [row for table in tables for row in table.objects.order_by("pk")]
            return [vars(row) | {"_state": None} for row in rows if _belongs_to(row, HIDDEN)]

    before = state()
    assert len(before) > 10
    for client in (person, key_client(tenant)):
        for route in ROUTES:
            if route.startswith(WRITES):
                send(client, route, rows)  # type: ignore[arg-type]  # a client all the same
    assert state() == before


def test_key_for_some_models_registers_no_other(tenant: Tenant, rows: dict[str, Any]) -> None:
    body = {"name": "third", "problem_type": "regression", "target": "y"}
    assert key_client(tenant).post("/api/v1/models", body).status_code == 403
    with tenant_scope(tenant):
        assert not RegisteredModel.objects.filter(name="third").exists()


def test_figures_count_what_is_in_sight(tenant: Tenant, rows: dict[str, Any]) -> None:
    counts = key_client(tenant).get("/api/v1/system/status").json()["counts"]
    with tenant_scope(tenant), tenant_transaction():
        assert RegisteredModel.objects.count() == 2
    assert counts["models"] == 1
    assert counts["versions"] == 1


# --- The console ----------------------------------------------------------------------------------
def _pages() -> list[tuple[type[Model], PlatformModelAdmin]]:
    pages = [(table, console._registry[table]) for table in WITH_PAGES]
    return [(table, page) for table, page in pages if table._meta.label_lower not in ADMIN_ONLY]


def _address(table: type[Model], name: str, *args: Any) -> str:
    return reverse(f"admin:{table._meta.app_label}_{table._meta.model_name}_{name}", args=args)


def test_no_page_shows_a_trace(rows: dict[str, Any], person: Client) -> None:
    addresses = [reverse("admin:index"), f"{reverse('admin:search')}?s=canary"]
    for table, page in _pages():
        addresses += [_address(table, "changelist"), f"{_address(table, 'changelist')}?q=canary"]
        addresses += [_address(table, "add")] if page.can_add else []
        addresses += [_address(table, command.slug) for command in page.list_commands]
    for address in addresses:
        answer = person.get(address)
        assert answer.status_code == 200, address
        found = answer.content.decode().replace("?q=canary", "")
        assert HIDDEN not in found, address


def test_pages_and_commands_of_hidden_rows_are_missing(
    tenant: Tenant, rows: dict[str, Any], person: Client
) -> None:
    for table, page in _pages():
        with tenant_scope(tenant), tenant_transaction():
            found = [row for row in table._default_manager.all() if _belongs_to(row, HIDDEN)]
        assert found, table
        redirect = person.get(_address(table, "change", found[0].pk))
        assert (redirect.status_code, redirect.headers["Location"]) == (302, reverse("admin:index")), table
        for command in page.all_commands():
            for ask in (person.get, person.post):
                nothing = NO_UUID if table is Prediction else NO_NUMBER
                hidden, missing = (
                    ask(_address(table, command.slug, pk)).status_code for pk in (found[0].pk, nothing)
                )
                expected = 403 if command.capability == Capability.ADMIN else 404
                assert hidden == missing == expected, command


def test_the_other_model_is_there_as_before(tenant: Tenant, rows: dict[str, Any], person: Client) -> None:
    assert SEEN in person.get(reverse("admin:index")).content.decode()
    for client in (person, key_client(tenant)):
        assert client.get(f"/api/v1/models/{SEEN}").status_code == 200
        names = [one["name"] for one in client.get("/api/v1/models").json()["results"]]
        assert names == [SEEN]


def test_admins_and_whole_keys_see_everything(
    tenant: Tenant, rows: dict[str, Any], person: Client, console_for: ConsoleFor
) -> None:
    assert HIDDEN in console_for(tenant).get(reverse("admin:index")).content.decode()
    assert User.objects.filter(email=f"approver@{tenant.slug}.example").exists()
    with tenant_scope(tenant):
        assert ApiKey.objects.filter(model_names=[]).exists()
        made = create_api_key(name="whole", scopes=["read"], by=SYSTEM)
    whole = APIClient(headers={"Authorization": f"Bearer {made.secret}"})
    assert whole.get(f"/api/v1/models/{HIDDEN}").status_code == 200
