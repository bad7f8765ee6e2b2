"""An ASGI endpoint with onnxruntime and nothing else, as the limit: ``uvicorn serving_bare:app``."""

import json
import os

import numpy as np
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["MODEL_FILE"], options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
outputs = [session.get_outputs()[1].name]


async def app(scope, receive, send):  # noqa: ANN001, ANN201  # the protocol's own signature
    """Answer the rows of a POST, and anything else with nothing."""
    if scope.get("method") == "GET":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    rows = np.array([list(row.values()) for row in json.loads(body)["rows"]], dtype="float64")
    content = json.dumps(session.run(outputs, {name: rows})[0].tolist()).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})
