"""Twins of versions that exist already: by the service, the API, the console and the command."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from mlplatform.admin.links import command_url, list_url
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.usage import locked_usage, measured
from registry.errors import InvalidModel, VersionNotReady
from registry.inference.engines import Engine
from registry.models import ModelVersion
from registry.models.version import VersionStatus
from registry.services.demands import choose_gates
from registry.services.gates import evaluate_gates
from registry.services.models import update_model
from registry.services.serving import predict
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_champion, rows_of
from tests.registry.services.test_twins import fitted
from training.services.twin_making import make_twin_of

pytestmark = pytest.mark.usefixtures("in_tenant")


@pytest.fixture
def version(in_tenant: Tenant) -> ModelVersion:
    """A champion that was made before there were twins."""
    pipeline, _ = fitted("logistic_regression")
    return make_champion(pipeline=pipeline, algorithm="logistic_regression")


def test_an_old_version_gets_a_twin_that_answers_from_then_on(version: ModelVersion) -> None:
    assert predict(model=version.model, rows=rows_of(version), by=SYSTEM).engine == Engine.ORIGINAL
    room = locked_usage().storage_bytes
    make_twin_of(version=version, by=SYSTEM)
    assert version.twin_file
    assert predict(model=version.model, rows=rows_of(version), by=SYSTEM).engine == Engine.ONNX
    assert locked_usage().storage_bytes == room + version.twin_bytes == measured("storage_bytes")
    entry = AuditEvent.objects.get(action="version.twin_made")
    assert (entry.before or {})["made"] is False
    assert (entry.after or {})["made"] is True


def test_made_once_more_it_takes_no_more_room(version: ModelVersion) -> None:
    make_twin_of(version=version, by=SYSTEM)
    room = locked_usage().storage_bytes
    make_twin_of(version=ModelVersion.objects.get(pk=version.pk), by=SYSTEM)
    assert locked_usage().storage_bytes == room == measured("storage_bytes")


def test_a_twin_outside_the_models_tolerance_is_not_taken_and_the_old_one_goes(version: ModelVersion) -> None:
    make_twin_of(version=version, by=SYSTEM)
    update_model(model=version.model, changes={"twin_tolerance": 0.0}, by=SYSTEM)
    make_twin_of(version=version, by=SYSTEM)
    differs = version.twin["difference"] > 0 if version.twin.get("difference") else False
    assert bool(version.twin_file) is not differs
    assert version.twin.get("tolerance") == 0.0
    assert locked_usage().storage_bytes == measured("storage_bytes")


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_a_tolerance_that_is_none_is_refused(wrong: float, version: ModelVersion) -> None:
    with pytest.raises(InvalidModel) as refused:
        update_model(model=version.model, changes={"twin_tolerance": wrong}, by=SYSTEM)
    assert "twin_tolerance" in (refused.value.fields or {})


def test_a_version_that_cannot_run_gets_none(version: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(status=VersionStatus.ARCHIVED)
    version.refresh_from_db()
    with pytest.raises(VersionNotReady):
        make_twin_of(version=version, by=SYSTEM)


def test_the_latency_gate_times_who_would_answer_and_names_them(version: ModelVersion) -> None:
    def timed() -> Any:
        gates = evaluate_gates(model=version.model, candidate=version)
        return next((one for one in gates if one.name == "latency"), None)

    choose_gates(model=version.model, gates={"latency": {"milliseconds": 60_000, "calls": 20}}, by=SYSTEM)
    before = timed()
    make_twin_of(version=version, by=SYSTEM)
    after = timed()
    assert (before.numbers["engine"], after.numbers["engine"]) == ("original", "onnx")
    assert "by the original pipeline" in before.detail
    assert "by its twin in ONNX" in after.detail


def test_over_the_api(version: ModelVersion, in_tenant: Tenant, api_for: ApiFor) -> None:
    client, path = api_for(in_tenant), f"/api/v1/models/{version.model.name}"
    changed = client.patch(path, {"twin_tolerance": 0.01}, format="json")
    assert changed.json()["twin_tolerance"] == 0.01
    made = client.post(f"{path}/versions/1/twin")
    assert (made.status_code, made.json()["made"], made.json()["tolerance"]) == (200, True, 0.01)
    assert client.patch(path, {"twin_tolerance": 2}, format="json").status_code == 400
    assert client.post(f"{path}/versions/9/twin").status_code == 404
    assert api_for(in_tenant, "read").post(f"{path}/versions/1/twin").status_code == 403


def test_in_the_console(version: ModelVersion, in_tenant: Tenant, console_for: ConsoleFor) -> None:
    console = console_for(in_tenant)
    answer = console.post(command_url(version, "twin"), follow=True)
    assert "has a twin" in answer.content.decode()
    ModelVersion.objects.filter(pk=version.pk).update(twin_file="", twin_bytes=0)
    chosen = {"action": "make_twins", "_selected_action": [str(version.pk)]}
    console.post(list_url("registry.modelversion"), chosen)
    assert ModelVersion.objects.get(pk=version.pk).twin_file


def test_by_the_command(version: ModelVersion, in_tenant: Tenant) -> None:
    told = StringIO()
    model = f"--model={version.model.name}"
    call_command("twin", "--tenant=clinic", model, "--all", "--tolerance=0.01", "--json", stdout=told)
    [line] = json.loads(told.getvalue())
    assert (line["version"], line["made"], line["tolerance"]) == (1, True, 0.01)
    with pytest.raises(CommandError, match="no version 7"):
        call_command("twin", "--tenant=clinic", model, "--number=7", stdout=told)
    with pytest.raises(CommandError, match="not both"):
        call_command("twin", "--tenant=clinic", model, "--number=1", "--all", stdout=told)
    with pytest.raises(CommandError):
        call_command("twin", "--tenant=clinic", model, "--tolerance=nan", stdout=told)
    with tenant_scope(in_tenant):
        assert ModelVersion.objects.get().model.twin_tolerance == 0.01
