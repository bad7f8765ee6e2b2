"""The Open Inference Protocol over plain HTTP: what its clients send, and what they must get."""

import json
import struct
from typing import Any

import numpy as np
import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.models import ModelVersion, Prediction
from registry.privacy.pseudonyms import is_pseudonym
from registry.services.aliases import set_alias
from registry.services.serving import predict
from tests.conftest import ApiFor
from tests.factories import make_champion, make_model, make_version, rows_of

MODEL = "/v2/models/cancer"
INFER = f"{MODEL}/infer"


@pytest.fixture
def champion(tenant: Tenant) -> ModelVersion:
    with tenant_scope(tenant):
        return make_champion()


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    return api_for(tenant, "predict", "read")


def tensors(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A tensor for each column of the rows, all of them numbers."""
    shape = [len(rows)]
    return [
        {"name": name, "datatype": "FP64", "shape": shape, "data": [row[name] for row in rows]}
        for name in rows[0]
    ]


def outputs(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.content
    return {one["name"]: one for one in answer.json()["outputs"]}


def refusal(answer: Any, status: int) -> str:
    """The text of an error in the protocol's own shape."""
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/json"), answer.content
    body = answer.json()
    assert list(body) == ["error"]
    return str(body["error"])


def predicted(client: APIClient, rows: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
    """What the platform's own address answers."""
    found: list[dict[str, Any]] = client.post("/api/v1/models/cancer/predict", {"rows": rows, **more}).json()[
        "predictions"
    ]
    return found


def test_the_server_tells_of_itself_to_anybody(db: None) -> None:
    nobody = APIClient()
    assert nobody.get("/v2/health/live").json() == {"live": True}
    ready = nobody.get("/v2/health/ready")
    assert (ready.status_code, ready.json()) == (200, {"ready": True})
    told = nobody.get("/v2").json()
    assert {*told} == {"name", "version", "extensions"}
    assert "binary_tensor_data" in told["extensions"]


def test_a_model_tells_what_it_takes_and_answers(client: APIClient, champion: ModelVersion) -> None:
    told = client.get(MODEL).json()
    assert (told["name"], told["versions"]) == ("cancer", ["1"])
    assert {one["name"] for one in told["inputs"]} == set(rows_of(champion)[0])
    assert {(one["datatype"], *one["shape"]) for one in told["inputs"]} == {("FP64", -1)}
    assert {one["name"]: one["shape"] for one in told["outputs"]} == {
        "label": [-1],
        "probabilities": [-1, 2],
        "prediction_id": [-1],
    }
    assert client.get(f"{MODEL}/versions/1").json() == told
    assert client.get(f"{MODEL}/ready").json() == {"name": "cancer", "ready": True}
    assert client.get(f"{MODEL}/versions/1/ready").status_code == 200


def test_tensors_by_column_are_answered_and_logged_as_rows_are(
    client: APIClient, champion: ModelVersion, tenant: Tenant
) -> None:
    rows = rows_of(champion, 3)
    body = {"id": "abc", "inputs": tensors(rows)}
    answer = client.post(INFER, body, headers={"X-Request-ID": "request-0001"})
    found, told = outputs(answer), answer.json()
    assert (told["model_name"], told["model_version"], told["id"]) == ("cancer", "1", "abc")
    assert told["parameters"]["request_id"] == "request-0001"
    own = predicted(client, rows)
    assert found["label"]["data"] == [one["label"] for one in own]
    assert (found["label"]["datatype"], found["label"]["shape"]) == ("BYTES", [3])
    shares = np.reshape(found["probabilities"]["data"], found["probabilities"]["shape"])
    classes = json.loads(found["probabilities"]["parameters"]["columns"])
    assert shares.tolist() == [[one["probabilities"][name] for name in classes] for one in own]
    with tenant_scope(tenant):
        logged = Prediction.objects.get(pk=found["prediction_id"]["data"][1])
    assert (logged.features, logged.request_id) == (rows[1], "request-0001")


def test_one_tensor_with_named_columns_or_all_of_them(client: APIClient, champion: ModelVersion) -> None:
    rows = rows_of(champion, 2)
    expected = [one["label"] for one in predicted(client, rows)]
    order = [column["name"] for column in champion.features]
    backwards = order[::-1]
    for names, parameters in ((order, {}), (backwards, {"columns": backwards})):
        data = [[row[name] for name in names] for row in rows]
        matrix = {"name": "in", "datatype": "FP64", "shape": [2, 30], "data": data, "parameters": parameters}
        assert outputs(client.post(INFER, {"inputs": [matrix]}))["label"]["data"] == expected


def test_versions_and_aliases_are_named_in_the_address(
    client: APIClient, champion: ModelVersion, tenant: Tenant
) -> None:
    with tenant_scope(tenant):
        second = make_version(champion.model, dataset=champion.dataset)
        set_alias(model=champion.model, name="challenger", version=second, by=SYSTEM)
    body = {"inputs": tensors(rows_of(champion))}
    for address, version in (("", "1"), ("/versions/2", "2"), ("/versions/challenger", "2")):
        assert client.post(f"{MODEL}{address}/infer", body).json()["model_version"] == version
    for address in ("/versions/9", "/versions/nobody", "/versions/99999999999999999999"):
        for path in ("", "/ready"):
            assert "cancer" in refusal(client.get(f"{MODEL}{address}{path}"), 404)
        assert "cancer" in refusal(client.post(f"{MODEL}{address}/infer", body), 404)


def test_tensors_come_and_go_as_bytes(client: APIClient, champion: ModelVersion) -> None:
    rows = rows_of(champion, 2)
    matrix = np.array([[row[column["name"]] for column in champion.features] for row in rows])
    inputs = [
        {
            "name": "in",
            "datatype": "FP64",
            "shape": [2, 30],
            "parameters": {"binary_data_size": matrix.nbytes},
        }
    ]
    told = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    headers = {"Inference-Header-Content-Length": str(len(told))}
    sent: Any = told + matrix.tobytes()
    answer = client.generic("POST", INFER, sent, content_type="application/octet-stream", headers=headers)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/octet-stream"
    length = int(answer["Inference-Header-Content-Length"])
    first = json.loads(answer.content[:length])["outputs"][0]
    rest, labels = answer.content[length : length + first["parameters"]["binary_data_size"]], []
    while rest:
        (size,) = struct.unpack_from("<I", rest)
        labels.append(rest[4 : 4 + size].decode())
        rest = rest[4 + size :]
    assert labels == [one["label"] for one in predicted(client, rows)]


def test_more_is_answered_where_it_is_asked_for(client: APIClient, champion: ModelVersion) -> None:
    rows = rows_of(champion, 2)
    keys = {"name": "entity_key", "datatype": "BYTES", "shape": [2], "data": ["anna", None]}
    parameters = {"intervals": True, "explain": True, "top": 2, "probabilities": False, "content_type": "pd"}
    body = {"inputs": [*tensors(rows), keys], "parameters": parameters}
    found = outputs(client.post(INFER, body))
    assert [*found] == ["label", "possible", "explanation", "prediction_id"]
    assert json.loads(found["possible"]["data"][0])[0] == found["label"]["data"][0]
    assert len(json.loads(found["explanation"]["data"][1])["sentences"]) == 2
    one = client.get(f"/api/v1/predictions/{found['prediction_id']['data'][0]}").json()
    assert is_pseudonym(one["entity_key"])
    assert one["probabilities"]


def test_only_the_wanted_outputs_come(client: APIClient, champion: ModelVersion, tenant: Tenant) -> None:
    body = {"inputs": tensors(rows_of(champion)), "outputs": [{"name": "probabilities"}]}
    assert [*outputs(client.post(INFER, body))] == ["probabilities"]
    with tenant_scope(tenant):
        before = Prediction.objects.count()
    for wanted in ("value", "interval", "explanation"):
        told = refusal(client.post(INFER, {**body, "outputs": [{"name": wanted}]}), 422)
        assert "It has label, probabilities, version, prediction_id." in told
    with tenant_scope(tenant):
        assert Prediction.objects.count() == before


def test_a_number_is_a_tensor_of_values(client: APIClient, tenant: Tenant) -> None:
    with tenant_scope(tenant):
        rows = rows_of(make_champion(make_model(data="diabetes")), 2)
    body = {"inputs": tensors(rows), "parameters": {"intervals": True}}
    found = outputs(client.post("/v2/models/diabetes/infer", body))
    assert (found["value"]["datatype"], found["value"]["shape"]) == ("FP64", [2])
    assert found["interval"]["shape"] == [2, 2]


def test_what_is_wrong_is_said_with_row_and_column_and_nothing_is_logged(
    client: APIClient, champion: ModelVersion, tenant: Tenant
) -> None:
    rows = rows_of(champion, 2)
    good = tensors(rows)

    def changed(**changes: Any) -> dict[str, Any]:
        return {"inputs": [{**good[0], **changes}, *good[1:]]}

    name = good[0]["name"]
    for body, words in (
        (changed(data=[1.0, None]), f"row 1, {name}: This feature may not be null"),
        (changed(data=[1.0, "2"]), f"row 1, {name}: Must be a number, not text"),
        (changed(datatype="BYTES", data=["1", "2"]), f"{name}: The column is numeric: send it as FP64"),
        (changed(data=[1.0]), f"{name}: The data are not of shape [2]"),
        (changed(shape=[3], data=[1.0] * 3), "3"),
        (changed(name="mean_radus"), "mean_radus: Unknown feature. Did you mean 'mean_radius'?"),
        ({"inputs": good[1:]}, f"row 0, {name}: This feature is missing"),
        ({"inputs": []}, "inputs"),
        ({"inputs": good, "tenant_id": 2}, "tenant_id"),
        (
            {"inputs": [{**one, "shape": [1001], "data": [1.0] * 1001} for one in good[:1]]},
            "at most 1,000 rows",
        ),
        ([], "cannot be read"),
    ):
        assert words in refusal(client.post(INFER, body), 422)
    for text in (b'{"inputs": [{"data": [NaN]}]}', b"{", b"\x1f\x8b00", b'{"a": 1, "a": 2}'):
        sent: Any = text
        assert refusal(client.generic("POST", INFER, sent, content_type="application/json"), 400)
    assert "intervals" in refusal(client.post(INFER, {"inputs": good, "parameters": {"coverage": 0.9}}), 400)
    headers = {"Inference-Header-Content-Length": "999999"}
    assert refusal(client.post(INFER, {"inputs": good}, headers=headers), 400)
    with tenant_scope(tenant):
        assert not Prediction.objects.exists()


def test_not_a_number_as_bytes_is_refused(client: APIClient, champion: ModelVersion) -> None:
    matrix = np.full((1, 30), np.nan)
    one = {"name": "in", "datatype": "FP64", "shape": [1, 30], "parameters": {"binary_data_size": 240}}
    told = json.dumps({"inputs": [one]}).encode()
    sent: Any = told + matrix.tobytes()
    headers = {"Inference-Header-Content-Length": str(len(told))}
    answer = client.generic("POST", INFER, sent, content_type="application/octet-stream", headers=headers)
    assert "mean_radius: Must be finite" in refusal(answer, 422)


def test_refusals_of_every_kind_have_the_protocols_shape(
    client: APIClient, champion: ModelVersion, tenant: Tenant, other_tenant: Tenant, api_for: ApiFor
) -> None:
    body = {"inputs": tensors(rows_of(champion))}
    assert "There is no model" in refusal(client.get("/v2/models/nothing"), 404)
    assert refusal(client.get("/v2/nothing"), 404)
    assert refusal(client.delete(INFER), 405)
    assert refusal(APIClient().get(MODEL), 401)
    wrong = APIClient()
    wrong.credentials(HTTP_AUTHORIZATION="Bearer mlp_wrong")
    assert refusal(wrong.post(INFER, body), 401)
    assert refusal(api_for(tenant, "read").post(INFER, body), 403)
    assert "There is no model" in refusal(api_for(other_tenant).post(INFER, body), 404)
    assert "There is no model" in refusal(api_for(other_tenant).get(f"{MODEL}/versions/1"), 404)
    assert refusal(client.post(INFER, body, HTTP_TRANSFER_ENCODING="chunked"), 411)
    assert refusal(client.get(MODEL, HTTP_HOST="evil.example"), 400)
    with tenant_scope(tenant):
        make_model("empty")
        assert AuditEvent.objects.filter(action="access.denied").exists()
    assert "has no champion" in refusal(client.get("/v2/models/empty/ready"), 409)


def test_an_endless_body_is_refused(client: APIClient, champion: ModelVersion) -> None:
    sent: Any = b'{"inputs": "' + b"1" * 6_000_000 + b'"}'
    assert refusal(client.generic("POST", INFER, sent, content_type="application/json"), 413)


def test_requests_are_counted_and_refused_as_everywhere(
    client: APIClient, champion: ModelVersion, settings: Settings
) -> None:
    body = {"inputs": tensors(rows_of(champion))}
    with tenant_scope(champion.tenant):
        predict(model=champion.model, rows=rows_of(champion), by=SYSTEM)  # loading may take most of a minute
    settings.LIMITS = settings.LIMITS | {"requests_per_minute": 2}
    assert [client.post(INFER, body).status_code for _ in range(2)] == [200, 200]
    for _ in range(2):
        refused = client.post(INFER, body)
        assert "requests a minute" in refusal(refused, 429)
        assert refused["Retry-After"]
        assert refused["RateLimit"].startswith('"keys";r=0')


def test_what_a_client_accepts_and_calls_its_body_is_no_obstacle(
    client: APIClient, champion: ModelVersion
) -> None:
    text: Any = json.dumps({"inputs": tensors(rows_of(champion))})
    for accept, kind in (("application/octet-stream", "application/json"), ("*/*", "text/plain")):
        answer = client.generic("POST", INFER, text, content_type=kind, headers={"Accept": accept})
        assert outputs(answer)["label"]["data"]
