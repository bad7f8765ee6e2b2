"""MLflow's ``/invocations`` over plain HTTP: every form, the same answers, refusals in words."""

import io
import json
from typing import Any

import pandas as pd
import pytest
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.models import ModelVersion, Prediction
from registry.services.aliases import set_alias
from tests.conftest import ApiFor
from tests.factories import make_champion, make_model, make_version, rows_of

MODEL = "/api/v1/models/cancer"
INVOKE = f"{MODEL}/invocations"
DEPLOYMENTS = "/api/v1/mlflow"
PARQUET = "application/vnd.apache.parquet"


@pytest.fixture
def champion(tenant: Tenant) -> ModelVersion:
    with tenant_scope(tenant):
        return make_champion()


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    return api_for(tenant, "predict", "read")


def send(
    client: APIClient, body: Any, kind: str = "application/json", path: str = INVOKE, **headers: str
) -> Any:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    content: Any = sent
    return client.generic("POST", path, content, content_type=kind, headers=headers)


def labels(client: APIClient, rows: list[dict[str, Any]]) -> list[str]:
    told = client.post(f"{MODEL}/predict", {"rows": rows}).json()
    return [one["label"] for one in told["predictions"]]


def forms(rows: list[dict[str, Any]], order: list[str]) -> dict[str, tuple[bytes, str]]:
    frame, file = pd.DataFrame(rows), io.BytesIO()
    frame.to_parquet(file)
    lists = [[row[name] for name in order] for row in rows]
    json_forms = {
        "dataframe_split": frame.to_dict("split"),
        "dataframe_records": rows,
        "instances": rows,
        "inputs": frame.to_dict("list"),
    }
    sent = {
        name: (json.dumps({name: data}).encode(), "application/json") for name, data in json_forms.items()
    }
    sent["instances as lists"] = (
        json.dumps({"instances": lists}).encode(),
        "application/json; charset=utf-8",
    )
    sent["inputs as lists"] = (json.dumps({"inputs": lists}).encode(), "application/json")
    sent["CSV"] = (frame.to_csv(index=False).encode(), "text/csv")
    sent["CSV, told"] = (frame.to_csv(index=False).encode(), "text/csv; charset=UTF-8")
    for kind in (PARQUET, "application/x-parquet", "application/octet-stream"):
        sent[kind] = (file.getvalue(), kind)
    return sent


def test_every_form_has_the_same_answers_and_is_logged(
    client: APIClient, champion: ModelVersion, tenant: Tenant
) -> None:
    rows = rows_of(champion, 3)
    expected = labels(client, rows)
    for form, (body, kind) in forms(rows, [one["name"] for one in champion.features]).items():
        for path in (INVOKE, f"{DEPLOYMENTS}/endpoints/cancer/invocations"):
            answer = send(client, body, kind, path)
            assert answer.status_code == 200, (form, answer.content)
            told = answer.json()
            assert told["predictions"] == expected, form
            assert (told["model"], told["version"]) == ("cancer", 1)
            with tenant_scope(tenant):
                logged = Prediction.objects.get(pk=told["prediction_ids"][2])
            assert logged.features == pytest.approx(rows[2]), form


def test_params_ask_for_more(client: APIClient, champion: ModelVersion, tenant: Tenant) -> None:
    with tenant_scope(tenant):
        second = make_version(champion.model, dataset=champion.dataset)
        set_alias(model=champion.model, name="challenger", version=second, by=SYSTEM)
    rows = rows_of(champion, 2)
    params = {"alias": "challenger", "probabilities": True, "intervals": True, "explain": True, "top": 1}
    told = send(client, {"instances": rows, "params": {**params, "entity_keys": ["a", "b"]}}).json()
    assert told["version"] == 2
    for one in told["predictions"]:
        assert one["prediction"] in one["possible"]
        assert sum(one["probabilities"].values()) == pytest.approx(1)
        assert len(one["explanation"]["sentences"]) == 1
    with tenant_scope(tenant):
        keys = [row.entity_key for row in Prediction.objects.filter(pk__in=told["prediction_ids"])]
    assert len({*keys}) == 2
    csv = pd.DataFrame(rows).to_csv(index=False).encode()
    told = send(client, csv, "text/csv", f"{INVOKE}?version=2&probabilities=true").json()
    assert told["version"] == 2
    assert told["predictions"][0]["probabilities"]


def test_a_regression_answers_numbers(client: APIClient, tenant: Tenant) -> None:
    with tenant_scope(tenant):
        rows = rows_of(make_champion(make_model(data="diabetes")), 2)
    told = send(client, {"inputs": rows}, path="/api/v1/models/diabetes/invocations").json()
    assert all(isinstance(one, float) for one in told["predictions"])


def test_what_is_wrong_is_said_with_row_and_column_and_nothing_is_logged(
    client: APIClient, champion: ModelVersion, tenant: Tenant
) -> None:
    good, bad = rows_of(champion, 2)
    bad["mean_area"] = "12,5"
    misspelt = {**good, "mean_radus": 1}
    csv = pd.DataFrame([good, bad]).to_csv(index=False).encode()
    for body, kind, errors in (
        ({"dataframe_records": [good, bad]}, "application/json", [(1, "mean_area", "wrong_type")]),
        (csv, "text/csv", [(1, "mean_area", "wrong_type")]),
        ({"instances": [misspelt]}, "application/json", [(0, "mean_radus", "unknown")]),
        ({"instances": [[1, 2]]}, "application/json", [(0, None, "wrong_shape")]),
        ({"instances": [1]}, "application/json", [(0, None, "wrong_shape")]),
        ({"inputs": [good] * 1001}, "application/json", [(None, "rows", "wrong_number")]),
        ({"messages": []}, "application/json", [(None, "messages", "unknown")]),
    ):
        answer = send(client, body, kind)
        told = answer.json()
        assert answer.status_code == 422
        assert answer["Content-Type"] == "application/problem+json"
        found = [(one["row"], one["field"], one["code"]) for one in told["errors"]]
        assert found == errors
        assert (told["error_code"], told["message"]) == ("BAD_REQUEST", told["detail"])
    with tenant_scope(tenant):
        assert not Prediction.objects.exists()


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b'{"instances": [{"mean_area": NaN}]}', "application/json", 400),
        (b'{"instances": [], "instances": []}', "application/json", 400),
        (b'{"instances": []}', "application/json", 422),
        (b'{"instances": [{}], "params": []}', "application/json", 400),
        (b'{"instances": [{}], "params": {"tenant": 2}}', "application/json", 400),
        (b'{"instances": [{}], "params": {"top": 2}}', "application/json", 400),
        (b'{"instances": [{}], "params": {"version": 9}}', "application/json", 404),
        (b"a,b\n1\n", "text/csv", 422),
        (b"", "text/csv", 422),
        (b"\xff", "text/csv", 422),
        (b"a\n1\n", "text/csv; charset=latin-1", 415),
        (b"PAR1 no PAR1", PARQUET, 422),
        (b"PK\x03\x04", "application/octet-stream", 422),
        (b"{}", "text/plain", 415),
    ],
)
def test_what_cannot_be_read_is_refused(
    client: APIClient, champion: ModelVersion, body: bytes, kind: str, status: int
) -> None:
    answer = send(client, body, kind)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_an_endless_body_is_refused(client: APIClient, champion: ModelVersion) -> None:
    assert send(client, b"a\n" + b"1\n" * 3_000_000, "text/csv").status_code == 413


def test_rights_and_walls_hold(
    champion: ModelVersion, tenant: Tenant, other_tenant: Tenant, api_for: ApiFor
) -> None:
    body = {"instances": rows_of(champion)}
    for client, status, code in (
        (APIClient(), 401, "UNAUTHENTICATED"),
        (api_for(tenant, "read"), 403, "PERMISSION_DENIED"),
        (api_for(other_tenant), 404, "RESOURCE_DOES_NOT_EXIST"),
    ):
        for path in (INVOKE, f"{DEPLOYMENTS}/endpoints/cancer/invocations"):
            answer = send(client, body, path=path)
            assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    other = api_for(other_tenant)
    for path in (f"{MODEL}/ping", f"{MODEL}/version", f"{DEPLOYMENTS}/api/2.0/endpoints/cancer"):
        assert other.get(path).status_code == 404
    assert other.get(f"{DEPLOYMENTS}/api/2.0/endpoints/").json()["endpoints"] == []


def test_what_stands_around_a_scoring_server(
    client: APIClient, champion: ModelVersion, tenant: Tenant
) -> None:
    for path in ("ping", "health"):
        assert client.get(f"{MODEL}/{path}").json() == {"status": "ready", "version": 1}
    assert client.get(f"{MODEL}/version").content == b"1"
    with tenant_scope(tenant):
        make_model("empty")
    assert client.get("/api/v1/models/empty/ping").status_code == 409
    [one, _] = client.get(f"{DEPLOYMENTS}/api/2.0/endpoints/").json()["endpoints"]
    assert one == client.get(f"{DEPLOYMENTS}/api/2.0/endpoints/cancer").json()
    assert one["endpoint_url"] == "/endpoints/cancer/invocations"
