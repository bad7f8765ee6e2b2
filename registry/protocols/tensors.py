"""Tensors of the Open Inference Protocol: their datatypes, and their values in JSON or as bytes.

The protocol: https://github.com/kserve/open-inference-protocol, version 2. Values as bytes behind the JSON
are its extension binary_tensor_data, as Triton defines it.
"""

import math
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from registry.inference.schema import MAX_ERRORS, RowError
from registry.inference.values import LARGEST_EXACT
from registry.protocols.faults import fault, refused
from registry.tabular.schema import ColumnType

WHOLE = {f"{sign}INT{bits}": (sign, bits) for sign in ("", "U") for bits in (8, 16, 32, 64)}
FLOATS = {"FP16": "<f2", "FP32": "<f4", "FP64": "<f8"}
BYTES, BOOL, DOUBLE = "BYTES", "BOOL", "FP64"
DTYPES: dict[str, str] = {
    BOOL: "?",
    **{name: f"<{'u' if sign else 'i'}{bits // 8}" for name, (sign, bits) in WHOLE.items()},
    **FLOATS,
}
DATATYPES = (*DTYPES, BYTES)
NUMBERS = frozenset({*WHOLE, *FLOATS})
LENGTH_BYTES = 4  # before each text among values as bytes

# What a column of each type is sent as, as the metadata of a model say; and what else it takes.
NATIVE: dict[ColumnType, str] = {
    ColumnType.numeric: DOUBLE,
    ColumnType.integer: "INT64",
    ColumnType.boolean: BOOL,
    **dict.fromkeys((ColumnType.category, ColumnType.text, ColumnType.date), BYTES),
    **dict.fromkeys((ColumnType.identifier, ColumnType.ignored), BYTES),
}
TAKES: dict[ColumnType, frozenset[str]] = {
    ColumnType.numeric: NUMBERS,
    ColumnType.integer: NUMBERS,
    ColumnType.boolean: frozenset({BOOL}),
    ColumnType.text: frozenset({BYTES}),
    ColumnType.date: frozenset({BYTES}),
    # A category may be sent as the number that it spells; what the model does not look at, as anything.
    **dict.fromkeys(
        (ColumnType.category, ColumnType.identifier, ColumnType.ignored), frozenset({*DATATYPES})
    ),
}


def json_values(name: str, data: Any, shape: Sequence[int], datatype: str) -> list[Any]:
    """Return a tensor's values row by row, from a list that is flat or nested as the shape is.

    Null is a missing value. Raises InvalidRows for another number of values than the shape says, or a value
    that is not of the datatype.
    """
    values = _flattened(name, data, shape)
    errors: list[RowError] = []
    for position, value in enumerate(values):
        problem = None if value is None else _problem(value, datatype)
        if problem is not None:
            place = position // (math.prod(shape[1:]) or 1)
            errors.append(fault(name, "wrong_datatype", problem, place))
            if len(errors) == MAX_ERRORS:
                break
    if errors:
        raise refused(errors)
    return values


def binary_values(name: str, data: bytes, shape: Sequence[int], datatype: str) -> list[Any]:
    """Return a tensor's values row by row, from bytes in little-endian order; raises InvalidRows."""
    if datatype == BYTES:
        return _texts(name, data, math.prod(shape))
    dtype = np.dtype(DTYPES[datatype])
    wanted = math.prod(shape) * dtype.itemsize
    if len(data) != wanted:
        message = f"{len(data)} bytes for {wanted}: the shape is {list(shape)} of {datatype}."
        raise refused([fault(name, "wrong_shape", message)])
    values: list[Any] = np.frombuffer(data, dtype).tolist()
    return values


def as_bytes(values: Sequence[Any], datatype: str) -> bytes:
    """Return values as the binary extension has them."""
    if datatype == BYTES:
        texts = [str(value).encode() for value in values]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    return np.asarray(values, dtype=DTYPES[datatype]).tobytes()


def _flattened(name: str, data: Any, shape: Sequence[int]) -> list[Any]:
    size = math.prod(shape)
    if isinstance(data, list) and len(data) == size and not any(isinstance(one, list) for one in data):
        return data
    level: list[Any] = [data]
    for extent in shape:
        if not all(isinstance(part, list) and len(part) == extent for part in level):
            message = (
                f"The data are not of shape {list(shape)}: send {size:,} values in one list, row by row, or "
                "lists nested as the shape is."
            )
            raise refused([fault(name, "wrong_shape", message)])
        level = [one for part in level for one in part]
    return level


def _problem(value: Any, datatype: str) -> str | None:
    if datatype == BOOL:
        return None if isinstance(value, bool) else f"Must be true or false, not {_kind(value)}."
    if datatype == BYTES:
        return None if isinstance(value, str) else f"Must be text, not {_kind(value)}: it is sent as BYTES."
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"Must be a number, not {_kind(value)}: it is sent as {datatype}."
    return _problem_of_whole(value, datatype) if datatype in WHOLE else None


def _problem_of_whole(value: int | float, datatype: str) -> str | None:
    sign, bits = WHOLE[datatype]
    if isinstance(value, float):
        return f"Must be a whole number: it is sent as {datatype}. Send FP64 for others."
    low, high = (0, 2**bits - 1) if sign else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if low <= value <= high:
        return None
    return f"{value if abs(value) < LARGEST_EXACT else 'It'} is outside {datatype}: {low} to {high}."


def _kind(value: Any) -> str:
    kinds = {bool: "a boolean", str: "text", int: "a number", float: "a number", list: "a list"}
    return kinds.get(type(value), "an object")


def _texts(name: str, data: bytes, count: int) -> list[Any]:
    texts: list[Any] = []
    place = 0
    try:
        while place < len(data):
            (length,) = struct.unpack_from("<I", data, place)
            place += LENGTH_BYTES
            if place + length > len(data):
                raise struct.error("the last text breaks off")
            texts.append(data[place : place + length].decode())
            place += length
    except (struct.error, UnicodeDecodeError) as error:
        message = f"The bytes are no texts in UTF-8, each after its length in four bytes: {error}."
        raise refused([fault(name, "wrong_datatype", message, len(texts))]) from error
    if len(texts) != count:
        message = f"{len(texts)} texts where the shape says {count}."
        raise refused([fault(name, "wrong_shape", message)])
    return texts
