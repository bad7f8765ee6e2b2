"""Asking why: over the API, and on a prediction's page."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from mlplatform.admin.links import command_url
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Role, Scope, Tenant
from registry.models import ModelVersion, Prediction
from registry.services.personal import mark_model
from registry.services.serving import predict
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_champion, make_model, rows_of

EXPLAIN = "/api/v1/models/cancer/explain"


@pytest.fixture
def champion(in_tenant: Tenant) -> ModelVersion:
    return make_champion()


@pytest.fixture
def client(in_tenant: Tenant, api_for: ApiFor) -> APIClient:
    return api_for(in_tenant)


def logged(version: ModelVersion) -> Prediction:
    return predict(model=version.model, rows=rows_of(version), by=SYSTEM).predictions[0]


def test_a_sent_row_is_explained_and_nothing_is_kept(client: APIClient, champion: ModelVersion) -> None:
    [row] = rows_of(champion)
    body = client.post(EXPLAIN, {"row": row}).json()
    answered = logged(champion)
    assert (body["version"], body["explained"]) == (1, answered.label)
    assert body["answer"] == pytest.approx((answered.probabilities or {})[answered.label])
    assert {one["feature"] for one in body["contributions"]} == set(row)
    effects = [one["effect"] for one in body["contributions"]]
    assert [abs(effect) for effect in effects] == sorted(map(abs, effects), reverse=True)
    first = body["contributions"][0]["feature"]
    assert body["sentences"][0].startswith(f"{first} {row[first]:.4g} pushes ")
    assert Prediction.objects.count() == 1


def test_a_class_can_be_chosen(client: APIClient, champion: ModelVersion) -> None:
    [row] = rows_of(champion)
    both = [client.post(EXPLAIN, {"row": row, "label": label}).json() for label in ("benign", "malignant")]
    assert both[0]["answer"] + both[1]["answer"] == pytest.approx(1)
    top = both[0]["contributions"][0]
    other = {one["feature"]: one["effect"] for one in both[1]["contributions"]}
    assert other[top["feature"]] == pytest.approx(-top["effect"], abs=1e-6)


def test_without_a_row_the_whole_is_explained(client: APIClient, champion: ModelVersion) -> None:
    body = client.post(EXPLAIN, {}).json()
    assert "on average" in body["sentences"][0]
    assert (body["method"], body["rows"]) == ("shapley", champion.holdout_rows)
    assert all(one["effect"] >= 0 for one in body["contributions"])


def test_a_logged_prediction_is_explained_to_whoever_may_read_the_log(
    client: APIClient, champion: ModelVersion, api_for: ApiFor
) -> None:
    asked = {"prediction": str(logged(champion).pk)}
    assert client.post(EXPLAIN, asked).status_code == 200
    assert AuditEvent.objects.filter(action="prediction.read").count() == 1
    assert api_for(champion.tenant, Scope.PREDICT).post(EXPLAIN, asked).status_code == 403


def test_another_models_prediction_is_not_found_and_no_read_is_recorded(
    client: APIClient, champion: ModelVersion
) -> None:
    prediction = logged(champion)
    make_model("other")
    refused = client.post("/api/v1/models/other/explain", {"prediction": str(prediction.pk)})
    assert (refused.status_code, refused.json()["code"]) == (404, "prediction_not_found")
    where = (f"--tenant={champion.tenant.slug}", "--model=other", f"--prediction={prediction.pk}")
    with pytest.raises(CommandError, match=f"no prediction {prediction.pk} of other"):
        call_command("explain", *where)
    assert not AuditEvent.objects.filter(action="prediction.read").exists()


def test_what_cannot_be_explained_is_refused_in_words(client: APIClient, champion: ModelVersion) -> None:
    [row] = rows_of(champion)
    for asked, words in (
        ({"row": {"nothing": 1}}, "do not fit"),
        ({"row": row, "label": "purple"}, "Choose one of: benign, malignant"),
    ):
        answer = client.post(EXPLAIN, asked)
        assert answer.status_code in {400, 422}
        assert words in answer.json()["detail"]
    assert client.post(EXPLAIN, {"row": row, "prediction": str(logged(champion).pk)}).status_code == 400


def test_values_that_the_log_does_not_keep_are_not_shown(client: APIClient, champion: ModelVersion) -> None:
    prediction, [row] = logged(champion), rows_of(champion)
    mark_model(model=champion.model, changes={"mean_radius": "pseudonymise"}, by=SYSTEM)
    answer = client.post(EXPLAIN, {"prediction": str(prediction.pk)})
    assert "does not keep the true values of mean_radius" in answer.json()["detail"]
    told = client.post(EXPLAIN, {"row": row}).json()["sentences"]
    assert [text for text in told if text.startswith("mean_radius (personal) pushes")]


def test_the_console_draws_what_pushed_the_answer(champion: ModelVersion, console_for: ConsoleFor) -> None:
    page = console_for(champion.tenant, Role.VIEWER).get(command_url(logged(champion), "explain"))
    text = page.content.decode()
    assert page.status_code == 200
    assert "What moved the probability of" in text
    assert 'class="p-svg"' in text
    assert "pushes up by" in text or "pushes down by" in text


@pytest.mark.any_database
def test_a_number_is_explained_in_its_own_unit(in_tenant: Tenant, client: APIClient) -> None:
    version = make_champion(make_model(data="diabetes"))
    [row] = rows_of(version)
    body = client.post("/api/v1/models/diabetes/explain", {"row": row}).json()
    total = body["base"] + sum(one["effect"] for one in body["contributions"])
    assert body["explained"] is None
    assert total == pytest.approx(body["answer"], rel=0.02)


def _command(champion: ModelVersion, *arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    where = (f"--tenant={champion.tenant.slug}", "--model=cancer", "--json")
    call_command("explain", *where, *arguments, stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_the_command_explains_the_whole_a_row_and_a_logged_answer(champion: ModelVersion) -> None:
    [row] = rows_of(champion)
    prediction = logged(champion)
    whole = _command(champion, "--label=benign")
    assert (whole["explained"], whole["rows"]) == ("benign", champion.holdout_rows)
    one = _command(champion, f"--row={json.dumps(row)}")
    assert (one["rows"], one["explained"]) == (None, prediction.label)
    of_log = _command(champion, f"--prediction={prediction.pk}")
    assert of_log["contributions"] == one["contributions"]
    assert AuditEvent.objects.filter(action="prediction.read").count() == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--row=[1]"], "object of values"),
        (["--row=nothing"], "not JSON"),
        (["--number=7"], "version"),
        (["--prediction=01a1ff24-b518-7b28-967e-6aeaf70262e4"], "no prediction"),
        (["--prediction=01a1ff24-b518-7b28-967e-6aeaf70262e4", "--label=benign"], "leave --number and"),
    ],
)
def test_the_command_refuses_in_words(champion: ModelVersion, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        _command(champion, *arguments)


def test_the_command_names_no_answer_of_another_model(champion: ModelVersion) -> None:
    other = logged(make_champion(make_model("other")))
    with pytest.raises(CommandError, match=r"no prediction .* of cancer"):
        _command(champion, f"--prediction={other.pk}")
