"""The Open Inference Protocol V2: tensors from the answers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from registry.problems.anomaly import AnomalyDetection
from registry.problems.classification import Classification
from registry.problems.clustering import Clustering
from registry.problems.regression import Regression
from registry.protocols.faults import fault, refused
from registry.protocols.open_inference import BINARY_SIZE, COLUMNS, Parameters, Request
from registry.protocols.tensors import BOOL, BYTES, DOUBLE, as_bytes

BINARY_DATA, BINARY_OUTPUT = "binary_data", "binary_data_output"
# What the answer itself is, by the kind of problem.
MAIN: dict[str, tuple[tuple[str, str], ...]] = {
    Classification.key: (("label", BYTES),),
    Regression.key: (("value", DOUBLE),),
    AnomalyDetection.key: (("is_anomaly", BOOL), ("score", DOUBLE)),
    Clustering.key: (("cluster", BYTES), ("distance", DOUBLE)),
}


@dataclass(frozen=True)
class Output:
    """A tensor of an answer; ``values`` are in the order of the rows."""

    name: str
    datatype: str
    shape: list[int]
    values: list[Any]
    parameters: Parameters


def output_metadata(problem_type: str, shares: int | None) -> list[dict[str, Any]]:
    """Return the tensors of every answer; ``shares`` is how many classes have probabilities, -1 for some."""
    told = [(name, datatype, [-1]) for name, datatype in MAIN[problem_type]]
    if shares:
        told.append(("probabilities", DOUBLE, [-1, shares]))
    told.append(("prediction_id", BYTES, [-1]))
    return [{"name": name, "datatype": datatype, "shape": shape} for name, datatype, shape in told]


def output_tensors(rows: Sequence[Mapping[str, Any]], problem_type: str) -> list[Output]:
    """Return the answers, as the API has them, as tensors: the answer itself comes first."""
    first, found = rows[0], []
    for name, datatype in MAIN[problem_type]:
        found.append(Output(name, datatype, [len(rows)], [row[name] for row in rows], {}))
    if first["probabilities"] is not None:
        classes = list(first["probabilities"])
        shares = [share for row in rows for share in row["probabilities"].values()]
        named = {COLUMNS: json.dumps(classes, ensure_ascii=False)}
        found.append(Output("probabilities", DOUBLE, [len(rows), len(classes)], shares, named))
    if first["interval"] is not None:
        ends = [end for row in rows for end in row["interval"]]
        found.append(Output("interval", DOUBLE, [len(rows), 2], ends, {COLUMNS: '["low", "high"]'}))
    for name in ("possible", "explanation"):
        if first[name] is not None:
            texts = [json.dumps(row[name], ensure_ascii=False) for row in rows]
            found.append(Output(name, BYTES, [len(rows)], texts, {"content_type": "json"}))
    versions = [row["version"] for row in rows]
    if len({*versions}) > 1:
        found.append(Output("version", "INT64", [len(rows)], versions, {}))
    return [*found, Output("prediction_id", BYTES, [len(rows)], [str(row["id"] or "") for row in rows], {})]


def check_outputs(request: Request, problem_type: str, *, sure: bool, why: bool) -> None:
    """Raise InvalidRows for a wanted tensor that no such answer has; ``sure`` and ``why`` were asked for."""
    known = [name for name, _ in MAIN[problem_type]]
    known += ["probabilities"] if problem_type in (Classification.key, Clustering.key) else []
    known += ["interval" if problem_type == Regression.key else "possible"] if sure else []
    known += ["explanation"] if why else []
    known += ["version", "prediction_id"]
    unknown = [wanted.name for wanted in request.outputs or () if wanted.name not in known]
    if unknown:
        message = f"This answer has no such output. It has {', '.join(known)}."
        raise refused([fault(name, "unknown", message) for name in unknown])


def chosen_outputs(request: Request, outputs: Sequence[Output]) -> list[tuple[Output, bool]]:
    """Return the tensors that the request wants and the answer has, and whether each is to come as bytes."""
    binary = (request.parameters or {}).get(BINARY_OUTPUT) is True
    if not request.outputs:
        return [(one, binary) for one in outputs]
    found = {one.name: one for one in outputs}
    return [
        (found[one.name], (one.parameters or {}).get(BINARY_DATA, binary) is True)
        for one in request.outputs
        if one.name in found
    ]


def encoded(head: Mapping[str, Any], outputs: Sequence[tuple[Output, bool]]) -> tuple[bytes, int]:
    """Return the answer's body, and how many of its bytes are JSON: all, where no tensor comes as bytes."""
    tensors, pieces = [], []
    for output, binary in outputs:
        tensor: dict[str, Any] = {
            "name": output.name,
            "shape": output.shape,
            "datatype": output.datatype,
        }
        parameters = dict(output.parameters)
        if binary:
            pieces.append(as_bytes(output.values, output.datatype))
            parameters[BINARY_SIZE] = len(pieces[-1])
        if parameters:
            tensor["parameters"] = parameters
        if not binary:
            tensor["data"] = output.values
        tensors.append(tensor)
    told = msgspec.json.encode({**head, "outputs": tensors})
    return told + b"".join(pieces), len(told)
