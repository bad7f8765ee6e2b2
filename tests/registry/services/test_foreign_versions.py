"""A file that another program made becomes a version, or is refused with a sentence and an audit row."""

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from registry.errors import ForeignModelRefused, InvalidColumns, InvalidRows
from registry.exchange.content import Form
from registry.exchange.skops_files import dump_skops
from registry.models import Dataset, ModelVersion, Prediction, RegisteredModel
from registry.services import opening
from registry.services.foreign_versions import ForeignModel, import_version
from registry.services.opening import open_apart
from registry.services.promotion import promote
from registry.services.serving import predict
from registry.tabular.columns import Column, ColumnType
from tests.factories import make_dataset, make_model, table

FEATURES = ["mean_radius", "mean_texture", "mean_smoothness"]
COLUMNS = [{"name": name, "type": "numeric"} for name in FEATURES]
CLASSES = ["benign", "malignant"]


@pytest.fixture
def model(in_tenant: Tenant) -> RegisteredModel:
    return make_model()


def fitted() -> Any:
    data = table()
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(data[FEATURES], data["diagnosis"])


def linear_onnx() -> bytes:
    """The same regression as a graph with one wide input, of 32-bit numbers."""
    scaler, regression = (step for _, step in fitted().steps)
    tables = {
        "shift": scaler.mean_,
        "width": scaler.scale_,
        "weights": regression.coef_.T,
        "start": regression.intercept_,
    }
    nodes = [
        helper.make_node("Sub", ["x", "shift"], ["a"]),
        helper.make_node("Div", ["a", "width"], ["b"]),
        helper.make_node("MatMul", ["b", "weights"], ["c"]),
        helper.make_node("Add", ["c", "start"], ["d"]),
        helper.make_node("Sigmoid", ["d"], ["probability"]),
    ]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None, 1])],
        [numpy_helper.from_array(value.astype("float32"), name) for name, value in tables.items()],
    )
    made: onnx.ModelProto = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10, producer_name="elsewhere"
    )
    data: bytes = made.SerializeToString()
    return data


def taken(model: RegisteredModel, data: bytes, filename: str = "model", **about: Any) -> ModelVersion:
    known = ForeignModel(**{"columns": COLUMNS, "origin": "Research group", **about})
    return import_version(model=model, file=io.BytesIO(data), filename=filename, about=known, by=SYSTEM)


def probabilities(model: RegisteredModel, version: ModelVersion, rows: list[dict[str, Any]]) -> list[float]:
    answers = predict(model=model, rows=rows, version=version.number, by=SYSTEM).predictions
    return [one.probabilities["malignant"] for one in answers if one.probabilities]


ROWS = [dict(zip(FEATURES, row, strict=True)) for row in table()[FEATURES].head(7).to_numpy().tolist()]


def test_a_skops_file_becomes_a_version_that_answers_alike(model: RegisteredModel) -> None:
    version = taken(model, dump_skops(fitted()), "forest.skops")
    assert (version.number, version.status, version.classes) == (1, "ready", CLASSES)
    assert version.origin["kind"] == "skops"
    assert (version.origin["file"], version.origin["from"]) == ("forest.skops", "Research group")
    assert version.created_by == version.origin["by"] == str(SYSTEM)
    want = fitted().predict_proba(table()[FEATURES].head(7))[:, 1]
    np.testing.assert_allclose(probabilities(model, version, ROWS), want)
    assert AuditEvent.objects.filter(action="version.imported").count() == 1


def test_an_onnx_file_answers_without_any_pipeline(model: RegisteredModel) -> None:
    version = taken(model, linear_onnx(), classes=CLASSES)
    assert (version.status, version.algorithm, version.origin["kind"]) == ("ready", "onnx", "onnx")
    assert version.origin["note"] == "Written by elsewhere."
    want = fitted().predict_proba(table()[FEATURES].head(7))[:, 1]
    np.testing.assert_allclose(probabilities(model, version, ROWS), want, rtol=1e-4)
    assert set(Prediction.objects.values_list("engine", flat=True)) == {"onnx"}


def test_with_a_dataset_it_is_measured_and_its_columns_are_read_off(model: RegisteredModel) -> None:
    dataset = make_dataset()
    version = taken(model, dump_skops(fitted()), columns=(), dataset=dataset)
    assert [column["name"] for column in version.features] == FEATURES
    assert version.metrics["accuracy"] > 0.85
    assert version.holdout_rows == dataset.rows
    assert set(version.reference) == {*FEATURES, "prediction"}
    assert promote(model=model, version=version, by=SYSTEM, reason="x", override=True).version == version


def test_without_a_dataset_its_example_row_stands_for_the_data(model: RegisteredModel) -> None:
    version = taken(model, dump_skops(fitted()), example=ROWS[0])
    assert (version.metrics, version.dataset.rows, version.dataset.model) == ({}, 1, model)
    with pytest.raises(InvalidRows):
        taken(model, dump_skops(fitted()), example={"mean_radius": "wide"})


def test_what_is_named_must_fit_the_file(model: RegisteredModel) -> None:
    good = dump_skops(fitted())
    with pytest.raises(ForeignModelRefused, match=r"fitted on other columns.*needs mean_texture"):
        taken(model, good, columns=[COLUMNS[0], {"name": "texture", "type": "numeric"}, COLUMNS[2]])
    with pytest.raises(ForeignModelRefused, match="classes are benign, malignant"):
        taken(model, good, classes=["yes", "no"])
    with pytest.raises(ForeignModelRefused, match="Name the classes"):
        taken(model, linear_onnx())
    with pytest.raises(InvalidColumns, match="Say which columns"):
        taken(model, good, columns=())
    with pytest.raises(InvalidColumns, match="what the model predicts"):
        taken(model, good, columns=[*COLUMNS, {"name": "diagnosis", "type": "category"}])
    for wrong in (
        [{"name": "a"}],
        [{"name": "a", "type": "blob"}],
        [COLUMNS[0]] * 2,
        [{"name": "", "type": "text"}],
    ):
        with pytest.raises(InvalidColumns):
            taken(model, good, columns=wrong)
    assert not ModelVersion.objects.exists()


def test_a_pickle_is_refused_whatever_it_is_called(model: RegisteredModel) -> None:
    buffer = io.BytesIO()
    joblib.dump(fitted(), buffer, compress=3)
    for filename in ("model.skops", "model.onnx", "model.joblib"):
        with pytest.raises(ForeignModelRefused, match="runs whatever program stands in it"):
            taken(model, buffer.getvalue(), filename)
    entry = AuditEvent.objects.filter(action="version.import_refused")[0]
    assert entry.details["filename"] == "model.joblib"
    assert not ModelVersion.objects.exists()
    assert not Dataset.objects.exists()


def test_a_skops_file_that_would_run_a_program_does_not(model: RegisteredModel, tmp_path: Path) -> None:
    place = tmp_path / "ran"
    evil = make_pipeline(FunctionTransformer(), LogisticRegression()).fit(
        table()[FEATURES], table()["diagnosis"]
    )
    evil.steps[0][1].func = os.system
    evil.steps[0][1].kw_args = {"command": f"touch {place}"}
    with pytest.raises(ForeignModelRefused, match=r"posix.system"):
        taken(model, dump_skops(evil))
    assert not place.exists()


def skops_with(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO(dump_skops(fitted()))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_hostile_zips_are_refused_before_they_are_unpacked(model: RegisteredModel) -> None:
    with pytest.raises(ForeignModelRefused, match="no part of a skops file"):
        taken(model, skops_with({"../../etc/passwd": b"x"}))
    with pytest.raises(ForeignModelRefused, match="bomb"):
        taken(model, skops_with({"bomb.npy": bytes(20_000_000)}))
    with pytest.raises(ForeignModelRefused, match="cannot be read"):
        taken(model, dump_skops(fitted())[:-40])
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = skops_with({"schema.json": b"{}"})
    with pytest.raises(ForeignModelRefused, match="twice"):
        taken(model, twice)
    link = zipfile.ZipInfo("link.npy")
    link.external_attr = 0o120777 << 16
    buffer = io.BytesIO(dump_skops(fitted()))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ForeignModelRefused, match="link"):
        taken(model, buffer.getvalue())


def deep_schema() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("schema.json", "[" * 200_000)
    return buffer.getvalue()


def test_a_bottomless_schema_ends_in_a_sentence(model: RegisteredModel) -> None:
    with pytest.raises(ForeignModelRefused):
        taken(model, deep_schema())


def ask(data: bytes, **limits: Any) -> Any:
    columns = [Column(name, ColumnType.numeric, nullable=True) for name in FEATURES]
    return open_apart(data, Form.ONNX, columns=columns, classes=CLASSES, rows=ROWS[:1], spare=False, **limits)


def hungry() -> bytes:
    """A graph of a few bytes that asks for 8 TB as soon as it is opened."""
    shape = numpy_helper.from_array(np.array([1 << 20, 1 << 20], dtype="int64"), "shape")
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["huge"]),
        helper.make_node("ReduceSum", ["huge"], ["sum"]),
        helper.make_node("Mul", ["x", "sum"], ["probability"]),
    ]
    graph = helper.make_graph(
        nodes,
        "hungry",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None, 3])],
        [shape],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    data: bytes = made.SerializeToString()
    return data


def test_a_small_file_that_wants_all_memory_is_refused() -> None:
    with pytest.raises(ForeignModelRefused):
        ask(hungry())


def test_the_opener_knows_nothing_and_reaches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs in its place tells what it can do: no secret, no connection, no program, no file."""
    probe = """
import sys, json, os
sys.path.insert(0, sys.argv[1])
from registry.exchange.limiting import limit
limit(memory_mb=200, seconds=20)
import socket, subprocess
def can(call):
    try:
        call()
    except (OSError, MemoryError) as error:
        return type(error).__name__
    return "yes"
told = {
    "socket": can(lambda: socket.socket()),
    "program": can(lambda: os.execv("/bin/true", ["true"])),
    "file": can(lambda: os.write(os.open("written", os.O_CREAT | os.O_WRONLY), b"x")),
    "memory": can(lambda: bytearray(2_000_000_000)),
    "secrets": sorted(name for name in os.environ if name.startswith(("ML_", "DATABASE", "CELERY"))),
}
print(json.dumps({"refused": json.dumps(told)}))
"""
    monkeypatch.setattr(opening, "START", probe)
    monkeypatch.setenv("ML_SECRET_KEY", "secret")
    with pytest.raises(ForeignModelRefused) as refused:
        ask(b"")
    told = json.loads(str(refused.value))
    assert told["socket"] in {"PermissionError", "OSError"}
    assert told["program"] in {"PermissionError", "OSError"}
    assert told["file"] == "OSError"
    assert told["memory"] == "MemoryError"
    assert told["secrets"] == []


def test_an_opener_that_hangs_or_dies_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "WAIT_SECONDS", 0.5)
    monkeypatch.setattr(opening, "START", "while True: pass")
    with pytest.raises(ForeignModelRefused, match="did not survive"):
        ask(b"")
    monkeypatch.setattr(opening, "WAIT_SECONDS", 60)
    monkeypatch.setattr(opening, "START", "import os; os.abort()")
    with pytest.raises(ForeignModelRefused, match="did not survive"):
        ask(b"")
    monkeypatch.setattr(opening, "START", "import sys\nwhile True: sys.stdout.write('x' * 100_000)")
    with pytest.raises(ForeignModelRefused, match="did not survive"):
        ask(b"")
