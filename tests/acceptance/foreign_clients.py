"""Asks a served model by other servers' own clients; run by ``test_foreign_clients.py`` in their environment.

It takes address, key, model and rows as JSON on the standard input, and prints what each client was answered.
"""

import json
import os
import sys
from typing import Any

import httpx
import numpy as np
import tritonclient.http as triton
from mlflow.deployments import get_deploy_client
from open_inference.openapi.client import InferenceRequest, OpenInferenceClient
from requests import HTTPError
from tritonclient.utils import InferenceServerException


def by_open_inference(asked: dict[str, Any]) -> dict[str, Any]:
    """Ask with the client of the protocol's own project."""
    headers = {"Authorization": f"Bearer {asked['key']}"}
    client = OpenInferenceClient(base_url=asked["url"], httpx_client=httpx.Client(headers=headers))
    client.check_server_liveness()
    client.check_server_readiness()
    client.check_model_readiness(asked["model"])
    client.check_model_version_readiness(asked["model"], "1")
    rows: list[dict[str, float]] = asked["rows"]
    tensors = [
        {"name": name, "shape": [len(rows)], "datatype": "FP64", "data": [row[name] for row in rows]}
        for name in rows[0]
    ]
    request = InferenceRequest(id="mine", inputs=tensors)
    answer = client.model_infer(asked["model"], request=request)
    again = client.model_version_infer(asked["model"], "1", request=request)
    return {
        "server": client.read_server_metadata().extensions,
        "inputs": [one.name for one in client.read_model_metadata(asked["model"]).inputs],
        "versions": client.read_model_version_metadata(asked["model"], "1").versions,
        "id": answer.id,
        "labels": list(answer.outputs[0].data.__root__),
        "of the version": list(again.outputs[0].data.__root__),
    }


def by_triton(asked: dict[str, Any]) -> dict[str, Any]:
    """Ask with Triton's client: tensors as bytes, as it sends them unless told otherwise."""
    headers = {"Authorization": f"Bearer {asked['key']}"}
    client = triton.InferenceServerClient(asked["url"].removeprefix("http://"))
    values = np.array([list(row.values()) for row in asked["rows"]])
    told = client.get_model_metadata(asked["model"], headers=headers)
    order = [one["name"] for one in told["inputs"]]
    places = [list(asked["rows"][0]).index(name) for name in order]
    found = {}
    for binary in (True, False):
        tensor = triton.InferInput("input", list(values.shape), "FP64")
        tensor.set_data_from_numpy(values[:, places], binary_data=binary)
        wanted = [
            triton.InferRequestedOutput(name, binary_data=binary) for name in ("label", "probabilities")
        ]
        for name, outputs in (("all", None), ("wanted", wanted)):
            # The client adds to the headers that it is given.
            answer = client.infer(asked["model"], [tensor], outputs=outputs, headers=dict(headers))
            labels = [one.decode() if isinstance(one, bytes) else one for one in answer.as_numpy("label")]
            found[f"{name}, binary {binary}"] = labels
            assert answer.as_numpy("probabilities").shape == (len(values), 2)
    wrong = triton.InferInput("mean_radus", [1], "FP64")
    wrong.set_data_from_numpy(np.array([1.0]))
    try:
        client.infer(asked["model"], [wrong], headers=dict(headers))
    except InferenceServerException as error:
        found["error"] = error.message()
    return {
        **found,
        "live": client.is_server_live(headers=headers) and client.is_server_ready(headers=headers),
        "ready": client.is_model_ready(asked["model"], "1", headers=headers),
        "absent": client.is_model_ready("nothing", headers=headers),
    }


def by_mlflow(asked: dict[str, Any]) -> dict[str, Any]:
    """Ask with MLflow's own deployment client."""
    os.environ["MLFLOW_TRACKING_TOKEN"] = asked["key"]
    client = get_deploy_client(f"{asked['url']}/api/v1/mlflow")
    rows, name = asked["rows"], asked["model"]
    lists = [list(row.values()) for row in rows]
    forms: dict[str, Any] = {
        "dataframe_split": {"columns": list(rows[0]), "data": lists},
        "dataframe_records": rows,
        "instances": rows,
        "inputs": {column: [row[column] for row in rows] for column in rows[0]},
    }
    found = {
        form: client.predict(endpoint=name, inputs={form: data})["predictions"]
        for form, data in forms.items()
    }
    try:
        client.predict(endpoint=name, inputs={"instances": [{"mean_radus": 1}]})
    except HTTPError as error:
        found["error"] = str(error)
    return {
        **found,
        "endpoint": client.get_endpoint(name).endpoint_url,
        "endpoints": [one.name for one in client.list_endpoints()],
    }


if __name__ == "__main__":
    sent = json.load(sys.stdin)
    asks = {"open inference": by_open_inference, "triton": by_triton, "mlflow": by_mlflow}
    print(json.dumps({name: ask(sent) for name, ask in asks.items()}))
