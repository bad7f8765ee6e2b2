"""A right on one model widens or narrows it there and nowhere else, on every route and every command."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Membership, Role, Tenant
from mlplatform.tenancy.permissions import ADMIN_ONLY, Capability
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.grants import give_right
from tests.architecture.test_routes import CANARY, ON_A_QUESTION, POLICY, SCOPE_OF, WRITES, full, send
from tests.conftest import ConsoleFor
from tests.console import WITH_PAGES
from tests.factories import make_dataset, make_model
from tests.world import populate

# What is sent to routes that name their model in the body, and which right that needs.
BODIES: dict[str, dict[str, Any]] = {
    "POST jobs": {"dataset": 1},
    "POST schedules": {"name": "x", "kind": "cron", "cron": "0 3 * * *"},
    "POST alert-rules": {"metric": "drift_share", "threshold": 0.5},
}
OF_THE_TENANT = {
    "POST models",
    "POST models/import",
    "POST train-all",  # asks the tenant's role first, then leaves out the models that one may not train
    *(route for route in POLICY if route.partition(" ")[2].startswith(("datasets", "sources"))),
}
ADMINS = {route for route, policy in POLICY.items() if policy == "admin"}
OF_A_MODEL = [
    route
    for route, policy in POLICY.items()
    if route.startswith(WRITES)
    and policy in SCOPE_OF
    and route not in {*OF_THE_TENANT, *ADMINS, *BODIES, "POST outcomes", "POST outcomes/bulk"}
]


@pytest.fixture
def rows(tenant: Tenant) -> dict[str, Any]:
    return populate(tenant, CANARY)


def member_with(
    tenant: Tenant, console_for: ConsoleFor, role: str, on_model: str, model: Any = None
) -> Client:
    """Return a member's client; the member has another role on the model."""
    client = console_for(tenant, role)
    with tenant_scope(tenant), tenant_transaction():
        member = Membership.objects.get(user__email=f"{role}@{tenant.slug}.example")
        give_right(model=model, holder=member, role=on_model, by=SYSTEM)
    return client


def post(client: Client, route: str, body: dict[str, Any]) -> Any:
    return client.post(full(route.partition(" ")[2]), body, content_type="application/json")


def send_bulk(client: Client, rows: dict[str, Any]) -> Any:
    lines = f"prediction_id,outcome\n{rows['predictions'].pk},malignant\n"
    return client.post(full("outcomes/bulk"), lines, content_type="text/csv")


def outcome_of(rows: dict[str, Any]) -> dict[str, Any]:
    return {"outcomes": [{"prediction": str(rows["predictions"].pk), "value": "malignant"}]}


def test_narrowed_on_the_model_every_write_is_refused(
    tenant: Tenant, rows: dict[str, Any], console_for: ConsoleFor
) -> None:
    client = member_with(tenant, console_for, Role.APPROVER, "viewer", rows["models"])
    for route in OF_A_MODEL:
        assert send(client, route, rows).status_code == 403, route  # type: ignore[arg-type]  # a client all the same
    for route, body in BODIES.items():
        assert post(client, route, {**body, "model": CANARY}).status_code == 403, route
    assert post(client, "POST outcomes", outcome_of(rows)).status_code == 403
    assert send_bulk(client, rows).status_code == 403
    for route, policy in POLICY.items():
        if route.startswith("GET") and route not in ADMINS | ON_A_QUESTION:
            refused = policy in {"predict", "train"}
            assert send(client, route, rows).status_code == (403 if refused else 200), route  # type: ignore[arg-type]  # as above


def test_narrowed_on_another_model_nothing_is_refused(
    tenant: Tenant, rows: dict[str, Any], console_for: ConsoleFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        other = make_model("other")
    client = member_with(tenant, console_for, Role.APPROVER, "viewer", other)
    for route in OF_A_MODEL:
        assert send(client, route, rows).status_code != 403, route  # type: ignore[arg-type]  # a client all the same
    assert (
        post(client, "POST alert-rules", {**BODIES["POST alert-rules"], "model": "other"}).status_code == 403
    )


def test_widened_on_the_model_its_writes_are_open_and_no_others(
    tenant: Tenant, rows: dict[str, Any], console_for: ConsoleFor
) -> None:
    client = member_with(tenant, console_for, Role.VIEWER, "approver", rows["models"])
    for route in OF_A_MODEL:
        assert send(client, route, rows).status_code != 403, route  # type: ignore[arg-type]  # a client all the same
    rule = {**BODIES["POST alert-rules"], "model": CANARY, "severity": "critical"}
    assert post(client, "POST alert-rules", rule).status_code == 201
    assert send_bulk(client, rows).status_code == 201
    assert post(client, "POST outcomes", outcome_of(rows)).status_code == 201
    model = {"name": "third", "problem_type": "regression", "target": "y"}
    assert post(client, "POST models", model).status_code == 403
    for route in ADMINS | {route for route in OF_THE_TENANT if route.startswith("POST")}:
        assert send(client, route, rows).status_code == 403, route  # type: ignore[arg-type]  # as above


def test_widened_on_another_model_every_write_is_refused(
    tenant: Tenant, rows: dict[str, Any], console_for: ConsoleFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        other = make_model("other")
        dataset = make_dataset()
    client = member_with(tenant, console_for, Role.VIEWER, "approver", other)
    for route in OF_A_MODEL:
        assert send(client, route, rows).status_code == 403, route  # type: ignore[arg-type]  # a client all the same
    for route, body in BODIES.items():
        assert post(client, route, {**body, "model": CANARY}).status_code == 403, route
    assert post(client, "POST outcomes", outcome_of(rows)).status_code == 403
    job = post(client, "POST jobs", {"model": "other", "dataset": dataset.pk})
    assert job.status_code == 201


def test_overriding_gates_needs_the_right_on_the_model(
    tenant: Tenant, rows: dict[str, Any], console_for: ConsoleFor
) -> None:
    client = member_with(tenant, console_for, Role.APPROVER, "operator", rows["models"])
    body = {"version": 1, "override": True, "reason": "because"}
    answer = post(client, f"POST models/{CANARY}/promote", body)
    assert (answer.status_code, "approve" in answer.json()["detail"]) == (403, True)


# --- The console ----------------------------------------------------------------------------------
def commands(tenant: Tenant) -> list[tuple[str, Capability]]:
    """Return the address of each command on a row of a model, and the right that it needs."""
    found = []
    for table in WITH_PAGES:
        page = console._registry[table]
        assert isinstance(page, PlatformModelAdmin)
        if table._meta.label_lower in ADMIN_ONLY:
            continue
        with tenant_scope(tenant), tenant_transaction():
            row: Any = table._default_manager.order_by("pk")[0]
            if row.registered_model() is None:
                continue
        for command in page.all_commands():
            name = f"admin:{table._meta.app_label}_{table._meta.model_name}_{command.slug}"
            found.append((reverse(name, args=[row.pk]), command.capability))
    return found


@pytest.mark.parametrize(
    ("role", "on_model", "allowed"), [("approver", "viewer", False), ("viewer", "approver", True)]
)
def test_commands_follow_the_right_on_the_model(
    tenant: Tenant, rows: dict[str, Any], console_for: ConsoleFor, role: str, on_model: str, allowed: bool
) -> None:
    client = member_with(tenant, console_for, role, on_model, rows["models"])
    for address, capability in commands(tenant):
        answer = client.get(address)
        expected = capability == Capability.VIEW or (allowed and capability != Capability.ADMIN)
        assert (answer.status_code != 403) == expected, address


def test_buttons_follow_the_right_on_the_model(
    tenant: Tenant, rows: dict[str, Any], console_for: ConsoleFor
) -> None:
    page = reverse("admin:registry_registeredmodel_change", args=[rows["models"].pk])
    widened = member_with(tenant, console_for, Role.VIEWER, "operator", rows["models"])
    narrowed = member_with(tenant, console_for, Role.OPERATOR, "viewer", rows["models"])
    assert "Edit policy" in widened.get(page).content.decode()
    assert "Edit policy" not in narrowed.get(page).content.decode()


def test_forms_offer_and_take_the_allowed_models_alone(
    tenant: Tenant, rows: dict[str, Any], console_for: ConsoleFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        other = make_model("other")
    client = member_with(tenant, console_for, Role.VIEWER, "operator", other)
    for table in ("training_trainingjob", "training_retrainingschedule", "monitoring_alertrule"):
        address = reverse(f"admin:{table}_add")
        page = client.get(address).content.decode()
        assert ">other</option>" in page, table
        assert f">{CANARY}</option>" not in page, table
        refused = client.post(address, {"model": rows["models"].pk}).content.decode()
        assert "That choice is not one of the available choices" in refused, table
    for table in ("registry_registeredmodel", "registry_dataset"):
        assert client.get(reverse(f"admin:{table}_add")).status_code == 403, table


def test_list_actions_skip_rows_of_models_without_the_right(
    tenant: Tenant, rows: dict[str, Any], console_for: ConsoleFor
) -> None:
    alerts = reverse("admin:monitoring_alert_changelist")
    client = member_with(tenant, console_for, Role.OPERATOR, "viewer", rows["models"])
    chosen = {"action": "acknowledge_selected", "_selected_action": [rows["alerts"].pk], "index": "0"}
    assert "You may not do this here" in client.post(alerts, chosen, follow=True).content.decode()
    with tenant_scope(tenant), tenant_transaction():
        rows["alerts"].refresh_from_db()
    assert rows["alerts"].state == "open"
