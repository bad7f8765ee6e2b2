"""Twins of versions: stored and signed like artefacts, asked for small requests, never trusted unseen."""

import io
import json
import logging
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import pandas as pd
import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from sklearn.neighbors import KNeighborsClassifier

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.usage import measured
from registry.admin.words import twin_section
from registry.inference.engines import Engine
from registry.inference.plan import TWIN_ROWS, WALKED_ROWS
from registry.inference.twins import StoredTwin, TwinReport
from registry.models import ModelVersion, Prediction
from registry.models.version import VersionStatus
from registry.problems import get_problem
from registry.services import twins
from registry.services.demands import choose_gates
from registry.services.gates import GateResult, evaluate_gates
from registry.services.key_rotation import sign_anew
from registry.services.loading import CACHE
from registry.services.plans import plan_for
from registry.services.serving import predict
from registry.services.twins import load_twin, twin_facts
from registry.storage import read_bytes
from registry.tabular.schema import coerce_frame, infer_schema
from tests.conftest import ApiFor
from tests.factories import make_champion, make_version, rows_of, table
from tests.moves import arrive, exported
from training.automl import TrialSpec, fit_pipeline
from training.services.twins import twin_of

pytestmark = pytest.mark.usefixtures("in_tenant")


@cache
def fitted(key: str = "random_forest") -> tuple[Any, StoredTwin]:
    """A pipeline of the platform on the table ``cancer``, and its twin; fitted once."""
    frame = table()
    columns = [column for column in infer_schema(frame) if column.name != "diagnosis"]
    features = coerce_frame(frame, columns)
    params = {"n_estimators": 20} if key == "random_forest" else {}
    pipeline = fit_pipeline(
        TrialSpec(key, params), features, frame["diagnosis"], columns, get_problem("classification"), 0
    )
    classes = [str(one) for one in pipeline.classes_]
    return pipeline, twin_of(pipeline, classes, features.head(200), columns, 1e-3)


def make(key: str = "random_forest", **changes: Any) -> ModelVersion:
    pipeline, twin = fitted(key)
    return make_champion(**{"pipeline": pipeline, "algorithm": key, "twin": twin, **changes})


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """Nothing of the test before is remembered."""
    CACHE.clear()


def twin_path(version: ModelVersion) -> Path:
    return Path(default_storage.path(version.twin_file))


def test_a_version_keeps_its_twin_and_how_it_was_found_to_agree() -> None:
    version = make()
    version.refresh_from_db()
    told = twin_facts(version)
    assert (told["made"], told["reason"], told["rows"], told["labels_differing"]) == (True, "", 200, 0)
    assert told["difference"] < 1e-9
    assert told["tolerance"] == 1e-3
    assert told["bytes"] == version.twin_bytes == len(read_bytes(version.twin_file))
    assert version.twin_file.startswith("twins/")
    assert version.twin_hash not in version.twin_file


def test_its_bytes_count_towards_the_tenants_storage() -> None:
    before = measured("storage_bytes")
    version = make()
    taken = measured("storage_bytes") - before
    assert taken >= version.artifact_bytes + version.twin_bytes


def test_a_small_request_is_answered_by_the_twin_and_says_so() -> None:
    version = make()
    rows = rows_of(version, 5)
    answer = predict(model=version.model, rows=rows, by=SYSTEM)
    assert answer.engine == Engine.ONNX
    assert {one.engine for one in Prediction.objects.all()} == {"onnx"}
    same = plan_for(version)
    expected = same.answers(coerce_frame(pd.DataFrame(rows), same.columns))
    assert [one.label for one in answer.predictions] == [one.label for one in expected]
    for given, wanted in zip(answer.predictions, expected, strict=True):
        assert given.probabilities == pytest.approx(wanted.probabilities)


def test_a_large_request_is_answered_by_the_original() -> None:
    version = make()
    [row] = rows_of(version)
    at_limit, beyond = (plan_for(version).ask([row] * count) for count in (TWIN_ROWS, TWIN_ROWS + 1))
    assert (at_limit.engine, beyond.engine) == (Engine.ONNX, Engine.ORIGINAL)
    assert at_limit.answers[0].label == beyond.answers[0].label


def test_intervals_are_given_beside_the_twins_answers() -> None:
    trained = make_version()
    version = make(model=trained.model, conformal=trained.conformal)
    answer = predict(model=version.model, rows=rows_of(version), by=SYSTEM, coverage=0.8)
    assert answer.engine == Engine.ONNX
    assert answer.predictions[0].bounds is not None
    assert answer.predictions[0].bounds.possible


def test_a_version_without_a_twin_says_why_and_answers_all_the_same() -> None:
    version = make("knn")
    assert (version.twin_file, version.twin_bytes) == ("", 0)
    assert "KNeighborsClassifier cannot be expressed" in twin_facts(version)["reason"]
    assert predict(model=version.model, rows=rows_of(version), by=SYSTEM).engine == Engine.WALKED


def test_a_version_of_before_there_were_twins_says_so() -> None:
    assert twin_facts(make_version())["reason"] == "Versions had no twin yet when this one was made."


def test_a_version_that_cannot_answer_gets_no_twin() -> None:
    version = make_version(pipeline="not a pipeline", twin=fitted()[1])
    assert (version.status, version.twin_file) == (VersionStatus.FAILED, "")


def cut(version: ModelVersion) -> None:
    path = twin_path(version)
    path.write_bytes(path.read_bytes()[:-40])


def lose(version: ModelVersion) -> None:
    twin_path(version).unlink()


def exchange(version: ModelVersion) -> None:
    """Put in its place the twin of another version."""
    other = make("logistic_regression", model=version.model)
    ModelVersion.objects.filter(pk=version.pk).update(twin_file=other.twin_file)


def forge(version: ModelVersion) -> None:
    ModelVersion.objects.filter(pk=version.pk).update(twin_signature="0" * 64)


@pytest.mark.parametrize("harm", [cut, lose, exchange, forge])
def test_a_harmed_twin_is_never_opened_and_the_original_answers(
    harm: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    version = make()
    harm(version)
    version.refresh_from_db()
    opened: list[bytes] = []
    monkeypatch.setattr(twins, "open_twin", opened.append)
    CACHE.clear()
    with caplog.at_level(logging.ERROR):
        answers = [
            predict(model=version.model, rows=rows_of(version), by=SYSTEM, version=version.number)
            for _ in range(3)
        ]
    assert {answer.engine for answer in answers} == {Engine.ORIGINAL}
    assert opened == []
    assert AuditEvent.objects.filter(action="version.twin_refused").count() == 1
    assert [record.levelname for record in caplog.records if "is not used" in record.message] == ["ERROR"]


def test_signed_bytes_that_are_no_twin_are_refused_too() -> None:
    _, twin = fitted()
    version = make(twin=replace(twin, data=b"\x08\x0a nothing that could be run"))
    assert load_twin(version) is None
    assert "cannot be opened" in AuditEvent.objects.get(action="version.twin_refused").details["detail"]


def test_an_opened_twin_is_kept_in_memory() -> None:
    version = make()
    assert load_twin(version) is load_twin(version)
    CACHE.clear()
    assert load_twin(version) is not None


def test_a_new_signing_key_signs_the_twin_anew(settings: Any) -> None:
    version, earlier = make(), settings.ARTIFACT_KEY
    settings.ARTIFACT_KEY, settings.ARTIFACT_KEY_FALLBACKS = "another", [earlier]
    assert sign_anew(by=SYSTEM) == 1
    settings.ARTIFACT_KEY_FALLBACKS = []
    before = version.twin_signature
    version.refresh_from_db()
    assert version.twin_signature != before
    assert load_twin(version) is not None


def test_a_tenant_that_moves_takes_its_twins_along(tenant: Tenant) -> None:
    with_twin = make()
    without = make_version(with_twin.model)
    moved = arrive(exported(tenant)[0])
    with tenant_scope(moved), tenant_transaction():
        there = {one.number: one for one in ModelVersion.objects.all()}
        assert there[1].twin_hash == with_twin.twin_hash
        assert there[1].twin_signature not in {"", with_twin.twin_signature}
        assert plan_for(there[1]).ask(rows_of(there[1])).engine == Engine.ONNX
        assert (there[2].twin_file, there[2].twin_signature, without.twin_file) == ("", "", "")


def test_whatever_fails_is_a_reason_and_no_failure() -> None:
    frame = coerce_frame(table(), infer_schema(table()))
    strange = KNeighborsClassifier().fit(frame[["mean_radius"]], table()["diagnosis"])
    twin = twin_of(strange, ["benign", "malignant"], frame, infer_schema(table()), 1e-3)
    assert (twin.data, twin.report.reason) == (
        b"",
        "A KNeighborsClassifier cannot be expressed in ONNX here.",
    )
    assert twin.report.walked is not None
    assert "Making it failed (ValueError)" in twin.report.walked.reason


def test_what_has_no_twin_is_walked_where_that_agrees(tenant: Tenant, api_for: ApiFor) -> None:
    version = make("knn")
    told = twin_facts(version)
    assert (told["made"], told["walked"], told["walked_reason"]) == (False, True, "")
    rows = rows_of(version, 3)
    body = {"rows": rows}
    answer = api_for(tenant).post(f"/api/v1/models/{version.model.name}/predict", body).json()
    assert answer["engine"] == Engine.WALKED
    assert {one.engine for one in Prediction.objects.all()} == {"walked"}
    plan = plan_for(version)
    expected = plan.answers(coerce_frame(pd.DataFrame(rows), plan.columns))
    assert [one["label"] for one in answer["predictions"]] == [one.label for one in expected]
    assert plan.ask(rows_of(version, WALKED_ROWS + 1)).engine == Engine.ORIGINAL


def test_a_walk_that_differs_is_not_used() -> None:
    _, twin = fitted("knn")
    assert twin.report.walked is not None
    doubted = msgspec.structs.replace(twin.report.walked, reason="Its numbers are up to 1 off.")
    report = msgspec.structs.replace(twin.report, walked=doubted)
    version = make("knn", twin=StoredTwin(b"", report))
    assert plan_for(version).ask(rows_of(version)).engine == Engine.ORIGINAL
    assert twin_facts(version)["walked_reason"] == "Its numbers are up to 1 off."


def test_a_walk_that_breaks_with_another_release_leaves_the_original(
    caplog: pytest.LogCaptureFixture,
) -> None:
    version = make("knn")
    CACHE.clear()
    with mock.patch("registry.services.plans.Walker", side_effect=AttributeError("tree_")):
        assert plan_for(version).ask(rows_of(version)).engine == Engine.ORIGINAL
    assert "is answered by the original alone" in caplog.text


def test_trouble_that_nobody_foresaw_is_logged_and_told(caplog: pytest.LogCaptureFixture) -> None:
    pipeline, _ = fitted()
    columns = [column for column in infer_schema(table()) if column.name != "diagnosis"]
    with caplog.at_level(logging.WARNING):
        twin = twin_of(pipeline, ["benign", "malignant"], table()[["mean_radius"]], columns, 1e-3)
    assert twin.data == b""
    assert "Making it failed (" in twin.report.reason
    assert "A twin could not be made." in caplog.text


def test_a_twin_that_differs_is_not_kept() -> None:
    pipeline, _ = fitted("xgboost")
    columns = [column for column in infer_schema(table()) if column.name != "diagnosis"]
    features = coerce_frame(table(), columns)
    strict = twin_of(pipeline, ["benign", "malignant"], features.head(100), columns, 0.0)
    assert strict.data == b""
    assert "0 is allowed" in strict.report.reason
    assert isinstance(strict.report, TwinReport)
    assert strict.report.rows == 100


def parity(version: ModelVersion, **demands: Any) -> GateResult:
    choose_gates(model=version.model, gates={"twin_parity": demands}, by=SYSTEM)
    found = evaluate_gates(model=version.model, candidate=version)
    return next(result for result in found if result.name == "twin_parity")


def test_the_gate_compares_both_on_the_hold_out() -> None:
    version = make()
    result = parity(version)
    assert result.passed
    assert result.numbers["rows"] > 50
    assert (result.numbers["labels_differing"], result.numbers["tolerance"]) == (0, 1e-3)
    assert result.numbers["difference"] < 1e-9
    assert "every label is the same" in result.detail


def test_the_gate_asks_for_a_twin_only_where_it_is_needed() -> None:
    version = make("knn")
    lax, strict = parity(version), parity(version, without="fail")
    assert (lax.passed, strict.passed) == (True, False)
    assert "KNeighborsClassifier cannot be expressed" in strict.detail


def test_the_gate_fails_for_a_damaged_twin() -> None:
    version = make()
    cut(version)
    CACHE.clear()
    result = parity(version)
    assert not result.passed
    assert "damaged" in result.detail


def test_the_gate_fails_beyond_its_own_tolerance() -> None:
    result = parity(make("xgboost"), tolerance=0.0)
    assert not result.passed
    assert "0 is allowed" in result.detail


def test_the_page_the_api_and_the_command_tell_of_the_twin(tenant: Tenant, api_for: ApiFor) -> None:
    made = make()
    none = make("knn", model=made.model)
    told = api_for(tenant).get(f"/api/v1/models/{made.model.name}/versions/{made.number}").json()["twin"]
    assert (told["made"], told["rows"], told["sha256"]) == (True, 200, made.twin_hash)
    page = " ".join(str(row) for row in twin_section(none).rows)
    assert "KNeighborsClassifier cannot be expressed" in page
    out = io.StringIO()
    call_command("find_versions", "--tenant", tenant.slug, "--json", stdout=out)
    listed = {one["algorithm"]: one["twin"] for one in json.loads(out.getvalue())}
    assert listed["random_forest"]["made"]
    assert "cannot be expressed" in listed["knn"]["reason"]
