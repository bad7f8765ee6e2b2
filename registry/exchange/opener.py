"""The program that opens a file from outside, alone in a process that can do little else.

It is given an ``Order`` as a line of JSON and answers with a line of JSON, a ``Reply``. It loads its
libraries, takes from itself what it will not need, and only then reads the file.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from registry.exchange.content import Form, Refused
from registry.exchange.limiting import limit
from registry.exchange.orders import Order, Reply
from registry.inference.foreign import open_foreign
from registry.inference.native import predict
from registry.inference.schema import rows_frame
from registry.inference.twins import ONNX_FAILURES
from registry.tabular.columns import Column

LIBRARIES = {Form.SKOPS: "registry.exchange.skops_files", Form.ONNX: "registry.exchange.onnx_files"}
FAILURES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, *ONNX_FAILURES)


def main() -> None:
    """Take the order from the standard input and answer it on the standard output."""
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    import_module(LIBRARIES[order.form])  # each takes seconds to load, so only the one that is needed
    limit(memory_mb=order.memory_mb, seconds=order.seconds)
    try:
        reply = examine(Path(order.path).read_bytes(), order)
    except Refused as refused:
        reply = Reply(refused=str(refused))
    except MemoryError:
        reply = Reply(refused="Opening the file takes more memory than a model is given. Send a smaller one.")
    sys.stdout.buffer.write(msgspec.json.encode(reply) + b"\n")
    sys.stdout.buffer.flush()


def examine(data: bytes, order: Order) -> Reply:
    """Open the file and ask it the rows; raises Refused."""
    return _skops(data, order) if order.form is Form.SKOPS else _onnx(data, order)


def _skops(data: bytes, order: Order) -> Reply:
    skops_files = import_module(LIBRARIES[Form.SKOPS])
    model = skops_files.open_skops(data)
    found = np.asarray(getattr(model, "classes_", [])).tolist()
    known = [str(label) for label in found] if hasattr(model, "classes_") else None
    if (known is None) != (order.classes is None):
        what = "predicts numbers" if known is None else "tells classes apart"
        raise Refused(f"The file's model {what}, which is another kind of problem than this model's.")
    if known is not None and order.classes and sorted(known) != sorted(order.classes):
        raise Refused(f"The file's classes are {', '.join(known)[:200]}. Name these, or none.")
    columns = _wanted(getattr(model, "feature_names_in_", None), order)
    _ask(model, order, columns, known)
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    return Reply(
        algorithm=type(last).__name__,
        classes=known,
        columns=[column.name for column in columns],
        note=skops_files.version_note(data),
    )


def _wanted(names: Any, order: Order) -> list[Column]:
    """The columns that the model was fitted on, in its order; raises Refused where they are others."""
    if names is None:
        return order.columns
    given = {column.name: column for column in order.columns}
    missing = [str(name) for name in names if str(name) not in given]
    over = [] if order.spare else sorted(set(given) - {str(name) for name in names})
    if missing or over:
        raise Refused(
            "The file's model was fitted on other columns. "
            + (f"It needs {', '.join(missing)[:300]}. " if missing else "")
            + (f"It does not know {', '.join(over)[:300]}. " if over else "")
            + "Name its own columns, spelt as they were."
        )
    return [given[str(name)] for name in names]


def _onnx(data: bytes, order: Order) -> Reply:
    onnx_files = import_module(LIBRARIES[Form.ONNX])
    parsed = onnx_files.parse_onnx(data)
    if order.classes is not None and not order.classes:
        raise Refused("Name the classes in the order of the file's probabilities: an ONNX file need not say.")
    try:
        binding = onnx_files.find_binding(data, order.columns, order.classes, spare=order.spare)
        model = open_foreign(onnx_files.with_binding(data, msgspec.json.encode(binding)))
    except ONNX_FAILURES as error:
        raise Refused(f"The ONNX file cannot be opened: {str(error)[:300]}") from error
    taken = {name for one in binding.inputs for name in one.columns}
    columns = [column for column in order.columns if column.name in taken]
    _ask(model, order, columns, order.classes)
    return Reply(
        algorithm="onnx",
        classes=order.classes,
        binding=binding,
        columns=[column.name for column in columns],
        note=f"Written by {parsed.producer_name[:40]}." if parsed.producer_name else "",
    )


def _ask(model: Any, order: Order, columns: list[Column], classes: list[str] | None) -> None:
    try:
        answers = predict(model, rows_frame(order.rows, columns), classes)
    except FAILURES as error:
        raise Refused(
            f"The file was opened, but cannot answer the example row ({type(error).__name__}: "
            f"{str(error)[:300]}). Give the columns that it was trained on, with their types."
        ) from error
    if len(answers) != len(order.rows):
        raise Refused("The file does not give one answer for each row. Export the right model.")
