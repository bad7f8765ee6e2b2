"""Reading ONNX files from outside: what a graph may be made of, and what its inputs and outputs mean."""

from collections.abc import Iterator, Sequence
from typing import Any

import onnx
import onnxruntime
from google.protobuf.message import DecodeError
from onnx import AttributeProto, TensorProto

from registry.exchange.content import Refused
from registry.inference.foreign import BINDING, KINDS, Binding, Input, session_options
from registry.tabular.columns import NUMBER_TYPES, UNUSED_TYPES, Column, ColumnType

DOMAINS = {"": 26, "ai.onnx": 26, "ai.onnx.ml": 5}  # with the newest release of each that is taken
OLDEST_OPSET = 7
MOST_NODES, MOST_TENSORS, MOST_NUMBERS, MOST_INPUTS = 20_000, 20_000, 100_000_000, 2_000
DEEPEST = 8
# They may not end, make numbers of nothing, or draw lots: no answer to a row needs them.
REFUSED_OPERATORS = frozenset(
    {
        *("Loop", "Scan", "SequenceMap", "Range", "ImageDecoder", "StringSplit"),
        *("RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike"),
        *("Multinomial", "Bernoulli"),
    }
)
NO_ZIPMAP = "Convert it without ZipMap: options={id(model): {'zipmap': False}}."


def parse_onnx(data: bytes) -> onnx.ModelProto:
    """Return the model once everything in it was found to be harmless; raises Refused."""
    try:
        model = onnx.load_model_from_string(data)
    except (DecodeError, ValueError) as error:
        raise Refused("The ONNX file is damaged or cut off. Send it again, whole.") from error
    if not model.graph.node or not model.graph.output:
        raise Refused("The ONNX file has no graph that answers anything. Export the model again.")
    _check_releases(model)
    if model.functions:
        raise Refused("The ONNX file defines operators of its own. Export it with the standard ones alone.")
    if any(entry.key.startswith("mlplatform.") for entry in model.metadata_props):
        raise Refused("The ONNX file is a part of this platform's own. Export the version as ONNX instead.")
    _check_nodes(model)
    _check_tensors(model)
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError) as error:
        raise Refused(f"The ONNX file breaks the standard: {str(error)[:300]}") from error
    return model


def find_binding(
    data: bytes, columns: Sequence[Column], classes: list[str] | None, *, spare: bool = False
) -> Binding:
    """Return what the graph's inputs and outputs mean for these columns; raises Refused.

    Args:
        data: the file, parsed before. columns: the version's, in the order that one wide input takes them.
            classes: labels in the order of the probabilities, None for a regression.
        spare: whether there may be more columns than the file takes.
    """
    session = onnxruntime.InferenceSession(data, session_options(), providers=["CPUExecutionProvider"])
    used = [column for column in columns if column.type not in UNUSED_TYPES]
    asked = session.get_inputs()
    if spare and len(asked) > 1:
        names = {one.name for one in asked}
        used = [one for one in used if one.name in names or _plain(one.name) in names]
    dates = [column.name for column in used if column.type is ColumnType.date]
    if dates:
        raise Refused(
            f"{', '.join(dates)} would hold dates, which an ONNX file cannot be asked with here. "
            "Give them as numbers instead."
        )
    inputs = _bind_inputs(asked, used)
    output, labels = _output(session.get_outputs(), classes)
    return Binding(inputs, output, classes, labels)


def with_binding(data: bytes, binding: bytes) -> bytes:
    """Return the file with its meaning in its metadata.

    Messages of this encoding that follow one another are merged by whoever reads them, so the file itself
    need not be parsed for it.
    """
    about = onnx.ModelProto()
    about.metadata_props.add(key=BINDING, value=binding.decode())
    merged: bytes = data + about.SerializeToString()
    return merged


def _check_releases(model: onnx.ModelProto) -> None:
    for asked in model.opset_import:
        newest = DOMAINS.get(asked.domain)
        if newest is None:
            raise Refused(
                f"The ONNX file asks for operators of {asked.domain[:80]!r}, which are not standard. Export "
                "it with those of ONNX itself (ai.onnx and ai.onnx.ml)."
            )
        if asked.version > newest or (asked.domain != "ai.onnx.ml" and asked.version < OLDEST_OPSET):
            raise Refused(
                f"The ONNX file asks for release {asked.version} of the operators; those from "
                f"{OLDEST_OPSET} to {newest} are taken. Export it with target_opset={newest}."
            )


def _graphs(graph: Any, depth: int = 0) -> Iterator[Any]:
    if depth > DEEPEST:
        raise Refused("The ONNX file nests graphs too deeply. Export a plainer model.")
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                yield from _graphs(attribute.g, depth + 1)
            for inner in attribute.graphs:
                yield from _graphs(inner, depth + 1)


def _check_nodes(model: onnx.ModelProto) -> None:
    count = 0
    for graph in _graphs(model.graph):
        count += len(graph.node)
        if count > MOST_NODES:
            raise Refused(f"The ONNX file has more than {MOST_NODES:,} nodes. Export a smaller model.")
        for node in graph.node:
            if node.domain not in DOMAINS:
                raise Refused(
                    f"The ONNX file uses {node.op_type[:60]} of {node.domain[:60]!r}, which is not standard. "
                    "Export it with the operators of ONNX itself."
                )
            if node.op_type in REFUSED_OPERATORS:
                raise Refused(
                    f"The ONNX file uses {node.op_type}, which may run without end, fill the memory, or "
                    "answer by chance. Export the model without it."
                )


def _check_tensors(model: onnx.ModelProto) -> None:
    numbers = 0
    for count, tensor in enumerate(_tensors(model), start=1):
        if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
            raise Refused(
                "The ONNX file keeps its numbers in another file, and no file that a file names is opened. "
                "Save it in one piece: onnx.save_model(model, path, save_as_external_data=False)."
            )
        size = 1
        for edge in tensor.dims:
            if edge < 0:
                raise Refused("The ONNX file holds numbers of an impossible shape. Export the model again.")
            size *= edge
        numbers += size
        if count > MOST_TENSORS or numbers > MOST_NUMBERS:
            raise Refused(
                f"The ONNX file holds more than {MOST_TENSORS:,} tables or {MOST_NUMBERS:,} numbers. Export "
                "a smaller model."
            )


def _tensors(model: onnx.ModelProto) -> Iterator[Any]:
    for graph in _graphs(model.graph):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.type == AttributeProto.TENSOR:
                    yield attribute.t
                yield from attribute.tensors
                if attribute.type == AttributeProto.SPARSE_TENSOR:
                    yield from (attribute.sparse_tensor.values, attribute.sparse_tensor.indices)
                for sparse in attribute.sparse_tensors:
                    yield from (sparse.values, sparse.indices)


def _bind_inputs(asked: Sequence[Any], used: list[Column]) -> list[Input]:
    if len(asked) > MOST_INPUTS:
        raise Refused(f"The ONNX file has more than {MOST_INPUTS:,} inputs. Export it with one wide input.")
    by_name = {column.name: column for column in used}
    named = {one.name: by_name.get(one.name) or by_name.get(_spoken(one.name, by_name)) for one in asked}
    if len(asked) == 1 and (len(used) > 1 or named[asked[0].name] is None):
        return [_wide(asked[0], used)]
    unknown = sorted(name for name, column in named.items() if column is None)
    taken = {column.name for column in named.values() if column is not None}
    unused = sorted(set(by_name) - taken)
    if unknown or unused:
        raise Refused(
            "The inputs of the ONNX file and the columns do not match. "
            + (f"No column is called {', '.join(unknown)[:200]}. " if unknown else "")
            + (f"The file does not take {', '.join(unused)[:200]}. " if unused else "")
            + "Name the columns as the file names its inputs, or export it with one wide input."
        )
    return [_narrow(one, column) for one in asked if (column := named[one.name]) is not None]


def _spoken(name: str, known: dict[str, Column]) -> str:
    """The column whose name became this input's, as converters write it: what is no letter is a line."""
    return {_plain(one): one for one in known}.get(name, "")


def _plain(name: str) -> str:
    return "".join(sign if sign.isalnum() else "_" for sign in name)


def _wide(asked: Any, used: list[Column]) -> Input:
    kind = _kind(asked)
    wrong = [one.name for one in used if (one.type in NUMBER_TYPES) == (kind == "str")]
    if wrong:
        raise Refused(
            f"The file's one input takes {'texts' if kind == 'str' else 'numbers'}, which "
            f"{', '.join(wrong)[:200]} do not hold. Export it with an input for each column."
        )
    width = asked.shape[1] if len(asked.shape) == 2 else None
    if len(asked.shape) != 2 or (isinstance(width, int) and width != len(used)):
        raise Refused(
            f"The file's input {asked.name!r} takes rows of shape {asked.shape}; there are {len(used)} "
            "columns. Give the columns that the model was trained on, in their order."
        )
    return Input(asked.name, [column.name for column in used], kind)


def _narrow(asked: Any, column: Column) -> Input:
    kind = _kind(asked)
    if (kind == "str") == (column.type in NUMBER_TYPES):
        raise Refused(
            f"The file reads {column.name} as {'text' if kind == 'str' else 'numbers'}, and the column is "
            f"{column.type.value}. Change the column's type."
        )
    if len(asked.shape) not in (1, 2) or (len(asked.shape) == 2 and asked.shape[1] not in (1, None)):
        raise Refused(f"The file's input {asked.name!r} takes {asked.shape}, not one value a row.")
    return Input(asked.name, [column.name], kind, flat=len(asked.shape) == 1)


def _kind(asked: Any) -> str:
    if asked.type not in KINDS:
        raise Refused(f"The file's input {asked.name!r} takes {asked.type}, which no column can give.")
    return KINDS[asked.type]


def _output(found: Sequence[Any], classes: list[str] | None) -> tuple[str, bool]:
    """The output to read, and whether it is labels."""
    numbers = [one for one in found if one.type in ("tensor(float)", "tensor(double)")]
    if classes is None:
        if not numbers:
            raise Refused("The ONNX file gives no numbers, as a regression must. Export the right model.")
        return numbers[0].name, False
    if numbers:
        likely = [one for one in numbers if "prob" in one.name.lower()]
        return (likely or numbers[-1:])[0].name, False
    labels = [one for one in found if one.type in ("tensor(string)", "tensor(int64)", "tensor(int32)")]
    if any(one.type.startswith("seq(") for one in found):
        raise Refused(f"The ONNX file gives its probabilities as a list of tables. {NO_ZIPMAP}")
    if not labels:
        raise Refused("The ONNX file gives neither probabilities nor labels. Export the right model.")
    return labels[0].name, True
