"""Versions in shadow held against the champion, through every door; and the gate that asks for it."""

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from feedback.services.erasures import erase_subject
from feedback.services.outcomes import OutcomeItem, record_outcomes
from feedback.services.subjects import export_subject
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant, Usage
from mlplatform.tenancy.scope import tenant_scope
from monitoring.services.shadows import shadow_reports
from registry.gates.base import GateResult
from registry.models import ModelVersion, Prediction, RegisteredModel, ShadowAnswer
from registry.services.aliases import set_alias
from registry.services.demands import choose_gates
from registry.services.gates import evaluate_gates
from registry.services.models import update_model
from registry.services.serving import predict
from registry.services.shadows import answer_in_shadow, ask_shadows, count_dropped, shadow_versions
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_champion, make_dataset, make_model, make_version, rows_of, table, train

ROWS = 60
ALICE = "alice"


def in_shadow(model: RegisteredModel, version: ModelVersion, name: str = "challenger") -> None:
    set_alias(model=model, name=name, version=version, by=SYSTEM)
    update_model(model=model, changes={"shadow_aliases": [*model.shadow_aliases, name]}, by=SYSTEM)


def serve(champion: ModelVersion, rows: int = ROWS, keys: list[str] | None = None) -> list[Prediction]:
    """Have the champion answer rows, and then the versions in its shadow."""
    model, sent = champion.model, rows_of(champion, rows)
    logged = predict(model=model, rows=sent, by=SYSTEM, entity_keys=keys).predictions
    told = [(one.pk, one.cached, row, one.version) for row, one in zip(sent, logged, strict=True)]
    found = ask_shadows(shadow_versions(model), told, logged[0].created_at)
    assert found is not None
    for version in found.shadows:
        answer_in_shadow(version=version, questions=[found])
    return logged


def report(logged: list[Prediction], data: str = "cancer") -> None:
    """Report what the rows really were, as their data tells."""
    truth = table(data).iloc[: len(logged), -1].tolist()
    items = [OutcomeItem(one.pk, value) for one, value in zip(logged, truth, strict=True)]
    record_outcomes(items=items, source="api", by=SYSTEM)


@pytest.fixture
def champion(in_tenant: Tenant) -> ModelVersion:
    return make_champion()


@pytest.fixture
def good(champion: ModelVersion) -> ModelVersion:
    """A version in shadow that knows a column less, and is as good."""
    other = train(make_model("other"), make_dataset("narrow", table().drop(columns="mean_radius")))
    version = make_version(
        champion.model, dataset=champion.dataset, pipeline=other.pipeline, features=other.features
    )
    in_shadow(champion.model, version)
    return version


@pytest.fixture
def bad(champion: ModelVersion) -> ModelVersion:
    """A version in shadow that learnt the opposite."""
    turned = table().assign(
        diagnosis=table()["diagnosis"].map({"benign": "malignant", "malignant": "benign"})
    )
    other = train(make_model("turned"), make_dataset("turned", turned))
    version = make_version(champion.model, dataset=champion.dataset, pipeline=other.pipeline)
    in_shadow(champion.model, version, "turned")
    return version


def test_agreement_differences_times_and_outcomes_are_told(
    champion: ModelVersion, good: ModelVersion, bad: ModelVersion
) -> None:
    report(serve(champion))
    worse, better = shadow_reports(champion.model)
    assert (worse.version, better.version, better.heard) == (bad, good, champion)
    assert better.agreement is not None
    assert worse.agreement is not None
    assert better.rows == better.compared == better.outcomes == ROWS
    assert better.agreement.share > 0.95 > 0.05 > worse.agreement.share
    assert 0 < (better.agreement.difference or 0) < 0.1 < 0.8 < (worse.agreement.difference or 0)
    assert {(one.heard, one.shadow) for one in worse.agreement.crossings} == {
        ("benign", "malignant"),
        ("malignant", "benign"),
    }
    assert better.times is not None
    assert (better.times.rows, better.times.p50_ms > 0, better.times.champion_p95_ms > 0) == (1, True, True)
    assert better.comparison is not None
    assert worse.comparison is not None
    assert (better.comparison.passed, worse.comparison.passed) == (True, False)
    assert (better.value or 0) > 0.9 > 0.1 > (worse.value or 0)
    assert better.heard_value == worse.heard_value


def test_numbers_are_compared_as_numbers(in_tenant: Tenant) -> None:
    champion = make_champion(make_model(data="diabetes"))
    twin = make_version(champion.model, dataset=champion.dataset)
    in_shadow(champion.model, twin)
    report(serve(champion, 20), "diabetes")
    (found,) = shadow_reports(champion.model)
    assert found.agreement is not None
    assert (found.agreement.share, found.agreement.difference) == (1.0, 0.0)
    assert found.comparison is not None
    assert (found.outcomes, found.comparison.difference, found.comparison.passed) == (20, 0.0, True)


def test_before_the_first_row_there_is_nothing_to_tell_but_the_version(
    champion: ModelVersion, good: ModelVersion
) -> None:
    (found,) = shadow_reports(champion.model)
    assert (found.version, found.rows, found.agreement, found.times) == (good, 0, None, None)


def test_a_model_without_champion_has_no_shadow(in_tenant: Tenant) -> None:
    assert shadow_reports(make_model()) == []


# --- the gate ---------------------------------------------------------------------------------


def verdict(version: ModelVersion, **parameters: Any) -> GateResult:
    choose_gates(model=version.model, gates={"shadow_evidence": parameters}, by=SYSTEM)
    results = evaluate_gates(model=version.model, candidate=version)
    return next(one for one in results if one.name == "shadow_evidence")


def test_the_gate_asks_for_rows_then_for_what_they_show(
    champion: ModelVersion, good: ModelVersion, bad: ModelVersion
) -> None:
    report(serve(champion))
    few = verdict(good)
    assert (few.passed, few.numbers["rows"]) == (False, ROWS)
    assert "of 200 that are needed" in few.detail
    enough: dict[str, Any] = {"min_rows": 50}
    for judge in ("agreement", "outcomes", "both"):
        one, other = (verdict(version, judge=judge, **enough) for version in (good, bad))
        assert (one.passed, other.passed) == (True, False), judge
    assert one.numbers["outcomes"] == ROWS
    assert 0.9 < one.numbers["agreement_low"] < one.numbers["agreement"]
    assert "not worse than the champion" in one.detail
    strict = verdict(good, **enough, agreement=1.0)
    assert strict.passed is (strict.numbers["agreement"] == 1.0)


def test_the_gate_wants_enough_outcomes_and_a_short_time(champion: ModelVersion, good: ModelVersion) -> None:
    report(serve(champion)[:20])
    few = verdict(good, judge="outcomes", min_rows=50)
    assert (few.passed, few.numbers["outcomes"]) == (False, 20)
    assert verdict(good, min_rows=50, milliseconds=60_000).passed
    slow = verdict(good, min_rows=50, milliseconds=0.000001)
    assert (slow.passed, slow.numbers["p95_ms"] > 0) == (False, True)


def test_the_gate_counts_failures(champion: ModelVersion, good: ModelVersion) -> None:
    serve(champion)
    ShadowAnswer.objects.filter(pk=ShadowAnswer.objects.all()[0].pk).update(
        failure="mean_area: null", label=""
    )
    failed = verdict(good, min_rows=50)
    assert (failed.passed, failed.numbers["failed"]) == (False, 1)
    assert "mean_area: null" in failed.detail
    assert verdict(good, min_rows=50, failures=0.1).passed


def test_the_first_champion_needs_no_shadow(in_tenant: Tenant) -> None:
    assert verdict(make_version()).passed


# --- the doors --------------------------------------------------------------------------------


@pytest.fixture
def served(tenant: Tenant) -> ModelVersion:
    """A champion whose twin has answered in its shadow, with a row dropped, and outcomes known."""
    with tenant_scope(tenant):
        champion = make_champion()
        second = make_version(champion.model, dataset=champion.dataset)
        in_shadow(champion.model, second)
        report(serve(champion, 30, [ALICE] * 30))
        count_dropped(version=second, rows=5, reason="The queue of the server process was full.")
    return champion


def test_the_api_tells(served: ModelVersion, tenant: Tenant, other_tenant: Tenant, api_for: ApiFor) -> None:
    path = "/api/v1/models/cancer/shadows"
    (found,) = api_for(tenant, "read").get(path).json()
    assert (found["version"], found["champion"], found["rows"], found["dropped"]) == (2, 1, 30, 5)
    assert found["agreement"]["share"] == 1.0
    assert (found["comparison"]["passed"], found["comparison"]["test"]) == (True, "paired bootstrap")
    assert found["value"] == found["champion_value"]
    assert api_for(other_tenant, "read").get(path).status_code == 404
    late = api_for(tenant, "read").get(
        path, {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}
    )
    assert late.status_code == 422


def test_the_settings_are_offered_and_bad_ones_refused(
    served: ModelVersion, tenant: Tenant, api_for: ApiFor
) -> None:
    client, path = api_for(tenant), "/api/v1/models/cancer"
    told = client.patch(path, {"cache_answers": True, "cache_seconds": 60, "log_share": 0.25}, format="json")
    assert {name: told.json()[name] for name in ("cache_answers", "cache_seconds", "log_share")} == {
        "cache_answers": True,
        "cache_seconds": 60,
        "log_share": 0.25,
    }
    assert client.patch(path, {"shadow_aliases": []}, format="json").json()["shadow_aliases"] == []
    for wrong in (
        {"shadow_aliases": ["nobody"]},
        {"shadow_aliases": "challenger"},
        {"cache_seconds": 0},
        {"cache_seconds": 100_000},
        {"log_share": 1.5},
        {"log_share": "NaN"},
    ):
        assert client.patch(path, wrong, format="json").status_code in {400, 422}, wrong


def test_the_commands_tell_and_change(
    served: ModelVersion, tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [f"--tenant={tenant.slug}", "--model=cancer", "--json"]
    call_command("shadows", *options)
    (line,) = json.loads(capsys.readouterr().out)
    assert (line["version"], line["rows"], line["same"], line["not_worse"]) == (2, 30, 1.0, True)
    call_command("serving", *options, "--cache=yes", "--cache-seconds=30", "--log-share=0.5", "--no-shadow")
    told = json.loads(capsys.readouterr().out)
    assert (told["cache_answers"], told["cache_seconds"], told["log_share"]) == (True, 30, 0.5)
    assert (told["shadow_aliases"], told["logged_7_days"], told["cached_7_days"]) == ([], 30, 0)


def test_the_console_tells(served: ModelVersion, tenant: Tenant, console_for: ConsoleFor) -> None:
    client: Client = console_for(tenant)
    page = client.get(f"/admin/registry/registeredmodel/{served.model_id}/change/").content.decode()
    assert "In shadow of the champion" in page
    assert "The queue of the server process was full." in page
    assert "30 rows" in page
    with tenant_scope(tenant):
        pk = Prediction.objects.order_by("pk")[0].pk
    page = client.get(f"/admin/registry/prediction/{pk}/change/").content.decode()
    assert "the client was not told" in page
    assert "the same" in page


def test_the_console_s_form_changes_how_the_model_answers(
    served: ModelVersion, tenant: Tenant, console_for: ConsoleFor
) -> None:
    address = f"/admin/registry/registeredmodel/{served.model_id}/edit/"
    client = console_for(tenant)
    assert "challenger (now v2)" in client.get(address).content.decode()
    told: dict[str, Any] = {"description": "", "data_checks": "warn", "log_writing": "before"}
    told |= {
        "twin_tolerance": 0.001,
        "log_share": 0.1,
        "cache_answers": "on",
        "cache_seconds": 90,
        "shadow_aliases": ["challenger"],
    }
    assert client.post(address, told).status_code == 302
    with tenant_scope(tenant):
        model = RegisteredModel.objects.get(pk=served.model_id)
    assert (model.log_share, model.cache_answers, model.cache_seconds) == (0.1, True, 90)
    assert model.shadow_aliases == ["challenger"]
    page = client.get(f"/admin/registry/registeredmodel/{served.model_id}/change/").content.decode()
    assert "10.00% of the answers are kept" in page
    for wrong in ({"log_share": 2}, {"cache_seconds": 0}, {"shadow_aliases": ["champion"]}):
        assert client.post(address, told | wrong).status_code == 200, wrong


def test_a_person_s_answers_in_shadow_are_handed_over_and_erased(
    served: ModelVersion, tenant: Tenant
) -> None:
    with tenant_scope(tenant):
        export = export_subject(key=ALICE, by=SYSTEM)
        held = json.loads("".join(export.lines))
        assert all(len(one["in_shadow"]) == 1 for one in held["predictions"])
        before = Usage.objects.get().stored_rows
        erase_subject(key=ALICE, by=SYSTEM)
        assert not ShadowAnswer.objects.exists()
        assert Usage.objects.get().stored_rows == before - 60
