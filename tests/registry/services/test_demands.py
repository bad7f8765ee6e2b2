"""Choosing a model's gates through every door, and what becomes of a promotion by it."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.errors import GateFailed, InvalidGates
from registry.models import ModelVersion, RegisteredModel
from registry.services.demands import choice_of, choose_gates, demands_of
from registry.services.promotion import promote
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_model, make_version

STANDARD = {"artifact_integrity", "smoke_prediction", "schema_compatible", "not_worse_than_champion"}
ALWAYS = {"artifact_integrity", "smoke_prediction"}


@pytest.fixture
def model(in_tenant: Tenant) -> RegisteredModel:
    return make_model()


@pytest.fixture
def version(tenant: Tenant) -> ModelVersion:
    with tenant_scope(tenant), tenant_transaction():
        return make_version()


def names(model: RegisteredModel) -> set[str]:
    """The gates that the model demands."""
    return {one.gate.name for one in demands_of(model)}


def test_a_new_model_demands_the_standard_gates(model: RegisteredModel) -> None:
    assert names(model) == STANDARD


def test_what_is_chosen_takes_the_place_of_the_standard_but_not_of_what_is_always_demanded(
    model: RegisteredModel,
) -> None:
    choose_gates(model=model, gates={"latency": {"milliseconds": 50}}, by=SYSTEM)
    model.refresh_from_db()
    assert names(model) == {*ALWAYS, "latency"}
    assert choice_of(model)["latency"] == {"milliseconds": 50.0, "calls": 50}


def test_choosing_nothing_brings_the_standard_back(model: RegisteredModel) -> None:
    choose_gates(model=model, gates={"latency": {}}, by=SYSTEM)
    choose_gates(model=model, gates={}, by=SYSTEM)
    assert names(model) == STANDARD


def test_a_choice_is_in_the_trail_with_what_was_before(model: RegisteredModel) -> None:
    choose_gates(model=model, gates={"latency": {}}, by=SYSTEM)
    event = AuditEvent.objects.get(action="model.gates_chosen")
    assert event.before == {"gates": {}}
    assert event.after is not None
    assert set(event.after["gates"]) == {*ALWAYS, "latency"}


@pytest.mark.parametrize(
    ("gates", "field", "said"),
    [
        ({"colour": {}}, "colour", "no such gate"),
        ({"latency": {"milliseconds": -1}}, "latency", ">"),
        ({"latency": {"milliseconds": "fast"}}, "latency", "Expected `float`"),
        ({"latency": {"speed": 1}}, "latency", "unknown field `speed`"),
        ({"minimum_metrics": {}}, "minimum_metrics", "Name one metric"),
        ({"minimum_metrics": {"bounds": {"rmse": 1}}}, "minimum_metrics", "no metric rmse"),
        ({"fairness_gap": {}}, "fairness_gap", "Name the column"),
        (
            {"fairness_gap": {"column": "a", "measure": "selection_rate"}},
            "fairness_gap",
            "Name the favourable answer",
        ),
        ({"not_worse_than_champion": {"test": "t"}}, "not_worse_than_champion", "Invalid enum value"),
    ],
)
def test_what_cannot_be_chosen_is_refused_at_its_gate(
    model: RegisteredModel, gates: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(InvalidGates) as refused:
        choose_gates(model=model, gates=gates, by=SYSTEM)
    assert isinstance(refused.value.fields, dict)
    assert said in refused.value.fields[field][0]
    model.refresh_from_db()
    assert model.gates == {}


@pytest.mark.parametrize(
    "gates",
    [
        {"not_worse_than_champion": {"test": "mcnemar"}},
        {"fairness_gap": {"column": "age", "measure": "selection_rate", "favourable": "x"}},
    ],
)
def test_what_is_for_classes_does_not_suit_numbers(in_tenant: Tenant, gates: dict[str, Any]) -> None:
    with pytest.raises(InvalidGates, match="for classifications"):
        choose_gates(model=make_model(data="diabetes"), gates=gates, by=SYSTEM)


def test_a_demanded_gate_stops_a_promotion_and_passing_over_it_is_marked_for_ever(
    version: ModelVersion, tenant: Tenant
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        choose_gates(model=version.model, gates={"artifact_size": {"megabytes": 0.0001}}, by=SYSTEM)
        with pytest.raises(GateFailed, match=r"allowed are 0\.0001 MB"):
            promote(model=version.model, version=version, by=SYSTEM)
        moved = promote(
            model=version.model, version=version, by=SYSTEM, override=True, reason="disk is cheap"
        )
    assert moved.overridden
    assert [one["name"] for one in moved.gates if not one["passed"]] == ["artifact_size"]


def test_an_override_that_nothing_needed_leaves_no_mark(version: ModelVersion, tenant: Tenant) -> None:
    with tenant_scope(tenant), tenant_transaction():
        moved = promote(model=version.model, version=version, by=SYSTEM, override=True, reason="in a hurry")
    assert not moved.overridden


# --- The API ----------------------------------------------------------------------------------
def test_gates_are_chosen_and_read_over_rest(tenant: Tenant, version: ModelVersion, api_for: ApiFor) -> None:
    client, address = api_for(tenant), "/api/v1/models/cancer/gates"
    before = client.get(address).json()
    assert before["standard"]
    assert {one["name"] for one in before["gates"] if one["demanded"]} == STANDARD
    sent = client.put(address, {"gates": {"minimum_metrics": {"bounds": {"f1": 0.9}}}})
    assert sent.status_code == 200
    chosen = {one["name"]: one for one in sent.json()["gates"] if one["demanded"]}
    assert chosen["minimum_metrics"]["parameters"] == {"bounds": {"f1": 0.9}, "min_rows": 20}
    verdicts = client.get(f"{address}/1").json()
    assert [one["name"] for one in verdicts["gates"]] == [*sorted(ALWAYS), "minimum_metrics"]


def test_a_wrong_choice_is_a_problem_that_names_the_gate(
    tenant: Tenant, version: ModelVersion, api_for: ApiFor
) -> None:
    sent = api_for(tenant).put("/api/v1/models/cancer/gates", {"gates": {"latency": {"calls": 1}}})
    assert sent.status_code == 422
    assert sent.json()["code"] == "invalid_gates"
    assert "latency" in sent.json()["errors"]


# --- The console ------------------------------------------------------------------------------
def address_of(model: RegisteredModel, page: str = "gates") -> str:
    return f"/admin/registry/registeredmodel/{model.pk}/{page}/"


def test_gates_are_chosen_in_a_form_without_json(
    tenant: Tenant, version: ModelVersion, console_for: ConsoleFor
) -> None:
    client = console_for(tenant, Role.APPROVER)
    page = client.get(address_of(version.model)).content.decode()
    assert "Good enough in itself" in page
    assert "Bounds" in page
    assert "{" not in page.split("<form")[2].split("</form>")[0]
    sent = {
        "minimum_metrics": "on",
        "minimum_metrics-bounds": "f1 = 0.9\nrecall = 0.8",
        "not_worse_than_champion": "on",
        "not_worse_than_champion-test": "mcnemar",
        "not_worse_than_champion-margin": "0.02",
        "not_worse_than_champion-slices": "mean_radius\nmean_texture",
    }
    answer = client.post(address_of(version.model), sent, follow=True).content.decode()
    assert "demands 4 gates" in answer
    assert "Bounds: f1 = 0.9, recall = 0.8" in answer
    with tenant_scope(tenant):
        chosen = choice_of(RegisteredModel.objects.get())
    assert chosen["not_worse_than_champion"] == {
        "test": "mcnemar",
        "margin": 0.02,
        "min_rows": 20,
        "slices": ["mean_radius", "mean_texture"],
        "slice_min_rows": 30,
    }


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"minimum_metrics": "on", "minimum_metrics-bounds": "f1"}, "write name = number"),
        ({"latency": "on", "latency-milliseconds": "quick"}, "is no number"),
        ({"latency": "on", "latency-calls": "1.5"}, "is no whole number"),
        ({"minimum_metrics": "on", "minimum_metrics-bounds": "rmse = 1"}, "no metric rmse"),
    ],
)
def test_what_is_wrong_stands_in_the_form(
    tenant: Tenant, version: ModelVersion, console_for: ConsoleFor, sent: dict[str, str], said: str
) -> None:
    page = console_for(tenant, Role.APPROVER).post(address_of(version.model), sent).content.decode()
    assert said in page


def test_an_operator_does_not_choose_the_gates(
    tenant: Tenant, version: ModelVersion, console_for: ConsoleFor
) -> None:
    assert console_for(tenant, Role.OPERATOR).get(address_of(version.model)).status_code == 403


def test_the_mark_of_an_override_stands_in_the_history(
    tenant: Tenant, version: ModelVersion, console_for: ConsoleFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        choose_gates(model=version.model, gates={"artifact_size": {"megabytes": 0.0001}}, by=SYSTEM)
        moved = promote(model=version.model, version=version, by=SYSTEM, override=True, reason="cheap")
    client = console_for(tenant, Role.VIEWER)
    assert (
        "Gates passed over" in client.get("/admin/registry/deployment/?overridden__exact=1").content.decode()
    )
    page = client.get(f"/admin/registry/deployment/{moved.pk}/change/").content.decode()
    assert "Gates passed over" in page
    assert "allowed megabytes" in page


# --- The command ------------------------------------------------------------------------------
def gates(*arguments: str) -> Any:
    """What the command prints as JSON."""
    told = io.StringIO()
    call_command("gates", "--tenant=clinic", "--model=cancer", "--json", *arguments, stdout=told)
    return json.loads(told.getvalue())


def test_the_command_demands_and_drops_gates_and_keeps_the_others(version: ModelVersion) -> None:
    words = ["--demand", "minimum_metrics", "bounds=f1=0.9", "bounds=recall=0.8", "--drop=schema_compatible"]
    told = {one["gate"]: one for one in gates(*words)}
    demanded = {name for name, one in told.items() if one["demanded"]}
    assert demanded == (STANDARD | {"minimum_metrics"}) - {"schema_compatible"}
    assert told["minimum_metrics"]["parameters"] == "bounds = f1 = 0.9, recall = 0.8, min_rows = 20"
    assert {one["gate"] for one in gates("--standard") if one["demanded"]} == STANDARD


def test_the_command_runs_a_version_through_the_gates(version: ModelVersion) -> None:
    told = gates("--demand", "artifact_size", "megabytes=0.0001", "--check=1")
    assert [one["gate"] for one in told if not one["passed"]] == ["Small enough"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--demand", "colour"], "no such gate"),
        (["--demand", "latency", "50"], "is no parameter of latency"),
        (["--demand", "latency", "calls=x"], "is no whole number"),
    ],
)
def test_the_command_says_what_is_wrong(version: ModelVersion, words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        gates(*words)
