"""The Open Inference Protocol V2: rows from a request's tensors.

Either each column is a tensor of its own, named for it and of shape [n] or [n, 1], or tensors of shape
[n, k] hold k columns each: named in the parameter ``columns``, or, without it, all that the model looks at in
its own order.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from registry.inference.schema import RowError
from registry.protocols.faults import check_count, check_once, fault, refused
from registry.protocols.tensors import (
    DATATYPES,
    NATIVE,
    TAKES,
    binary_values,
    json_values,
)
from registry.tabular.schema import UNUSED_TYPES, Column

ENTITY_KEY, COLUMNS = "entity_key", "columns"
BINARY_SIZE = "binary_data_size"
MOST_TENSORS = 10_000
Parameters = dict[str, Any]


class Input(Struct, forbid_unknown_fields=True):
    """A tensor of a request."""

    name: str
    shape: list[Annotated[int, Meta(ge=0)]]
    datatype: str
    parameters: Parameters | None = None
    data: Any | UnsetType = UNSET


class WantedOutput(Struct, forbid_unknown_fields=True):
    """A tensor that the client wants of the answer."""

    name: str
    parameters: Parameters | None = None


class Request(Struct, forbid_unknown_fields=True):
    """What is sent to be inferred from; without ``outputs`` all are wanted."""

    inputs: Annotated[list[Input], Meta(min_length=1, max_length=MOST_TENSORS)]
    id: str | None = None
    parameters: Parameters | None = None
    outputs: list[WantedOutput] | None = None


@dataclass(frozen=True)
class Asked:
    """A request's rows, and the client's names for the cases where a tensor gave them."""

    rows: list[dict[str, Any]]
    entity_keys: list[Any] | None


def read_request(parsed: Any) -> Request:
    """Return the request; raises InvalidRows with the place that is wrong."""
    try:
        return msgspec.convert(parsed, Request)
    except msgspec.ValidationError as error:
        raise refused([fault(None, "wrong_form", f"{error}.")]) from error


def rows_of(request: Request, binary: bytes, columns: Sequence[Column], most: int) -> Asked:
    """Return the request's rows for these columns, at most so many; ``binary`` is what follows the JSON.

    Whether each value fits its column is for ``check_rows`` to say. Raises InvalidRows.
    """
    known = {column.name: column for column in columns}
    count = _row_count(request.inputs, most)
    values: dict[str, list[Any]] = {}
    keys: list[Any] | None = None
    pieces = _Pieces(binary)
    for tensor in request.inputs:
        content = _values(tensor, pieces)
        if tensor.name == ENTITY_KEY and ENTITY_KEY not in known:
            keys = content
            continue
        names = _names(tensor, request, columns)
        errors = _wrong_datatypes(tensor, [known[name] for name in names if name in known])
        errors += [fault(name, "twice", "This column is sent twice.") for name in names if name in values]
        if errors:
            raise refused(errors)
        values |= {name: content[place :: len(names)] for place, name in enumerate(names)}
    pieces.check_end()
    if not values:
        raise refused([fault("inputs", "missing", "Send the columns beside the names of the cases.")])
    rows = [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]
    if len(rows) != count:
        raise refused([fault("inputs", "wrong_shape", "Send as many values of each column as rows.")])
    return Asked(rows, keys)


def _row_count(inputs: Sequence[Input], most: int) -> int:
    """Return how many rows there are; raises InvalidRows before any value is looked at."""
    errors: list[RowError] = []
    for tensor in inputs:
        if tensor.datatype not in DATATYPES:
            message = (
                f"The datatype {tensor.datatype[:40]!r} is not known. Send one of: {', '.join(DATATYPES)}."
            )
            errors.append(fault(tensor.name, "wrong_datatype", message))
        if len(tensor.shape) not in (1, 2):
            message = f"The shape {tensor.shape[:5]} has {len(tensor.shape)} dimensions: send [n] or [n, k]."
            errors.append(fault(tensor.name, "wrong_shape", message))
    if errors:
        raise refused(errors)
    first = inputs[0]
    for tensor in inputs:
        if tensor.shape[0] != first.shape[0]:
            message = f"{tensor.shape[0]} rows, but {first.name} has {first.shape[0]}. Send as many of each."
            errors.append(fault(tensor.name, "wrong_shape", message))
    if errors:
        raise refused(errors)
    check_count(first.shape[0], most)
    return first.shape[0]


class _Pieces:
    """The bytes behind the JSON, cut off tensor by tensor."""

    def __init__(self, binary: bytes) -> None:
        self._rest = memoryview(binary)

    def next(self, name: str, size: Any) -> bytes:
        """Return the tensor's bytes; raises InvalidRows where there are not so many."""
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= len(self._rest):
            message = f"binary_data_size says {size!r:.40}; {len(self._rest)} bytes are left behind the JSON."
            raise refused([fault(name, "wrong_shape", message)])
        piece, self._rest = bytes(self._rest[:size]), self._rest[size:]
        return piece

    def check_end(self) -> None:
        """Raise InvalidRows where bytes are left that no tensor claims."""
        if len(self._rest):
            message = f"{len(self._rest)} bytes behind the JSON belong to no tensor."
            raise refused([fault("inputs", "wrong_shape", message)])


def _values(tensor: Input, pieces: _Pieces) -> list[Any]:
    parameters = tensor.parameters or {}
    if BINARY_SIZE in parameters:
        if not isinstance(tensor.data, UnsetType):
            message = "Send either data or binary_data_size."
            raise refused([fault(tensor.name, "wrong_form", message)])
        data = pieces.next(tensor.name, parameters[BINARY_SIZE])
        return binary_values(tensor.name, data, tensor.shape, tensor.datatype)
    if isinstance(tensor.data, UnsetType):
        raise refused([fault(tensor.name, "missing", "This tensor has no data.")])
    return json_values(tensor.name, tensor.data, tensor.shape, tensor.datatype)


def _names(tensor: Input, request: Request, columns: Sequence[Column]) -> list[str]:
    """Return the tensor's columns, as many as it holds."""
    width = math.prod(tensor.shape[1:])
    stated = (tensor.parameters or {}).get(COLUMNS)
    if stated is None and width > 1:
        stated = (request.parameters or {}).get(COLUMNS)
    if stated is not None:
        names = _listed(tensor.name, stated)
    elif width == 1:
        names = [tensor.name]
    else:
        names = [column.name for column in columns if column.type not in UNUSED_TYPES]
    if len(names) != width:
        hint = "" if stated is not None else " Name those that you send in the parameter columns."
        message = f"It has {width} columns; {len(names)} are {'named' if stated else 'looked at'}.{hint}"
        raise refused([fault(tensor.name, "wrong_shape", message)])
    check_once(names)
    return names


def _listed(name: str, stated: Any) -> list[str]:
    """Return names from a list, from JSON text of a list, or from text with commas between them."""
    if isinstance(stated, str) and stated.lstrip().startswith("["):
        try:
            stated = json.loads(stated)
        except (ValueError, RecursionError):
            stated = None
    elif isinstance(stated, str):
        stated = [part.strip() for part in stated.split(",")]
    if isinstance(stated, list) and all(isinstance(one, str) for one in stated):
        return stated
    message = "The parameter columns is a list of names, or one text with commas between them."
    raise refused([fault(name, "wrong_form", message)])


def _wrong_datatypes(tensor: Input, columns: Sequence[Column]) -> list[RowError]:
    return [
        fault(
            column.name,
            "wrong_datatype",
            f"The column is {column.type}: send it as {NATIVE[column.type]}, not as {tensor.datatype}.",
        )
        for column in columns
        if tensor.datatype not in TAKES[column.type]
    ]


def input_metadata(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Return each column that the model looks at as a tensor."""
    return [
        {"name": column.name, "datatype": NATIVE[column.type], "shape": [-1]}
        for column in columns
        if column.type not in UNUSED_TYPES
    ]
