"""Hyper-parameters from outside: checked against the algorithm's own model, and described for forms."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from training.algorithms.base import Algorithm, Params
from training.algorithms.errors import InvalidParameters

PLACE = re.compile(r"^(?P<problem>.*?)(?: - at `\$\.(?P<field>\w+).*`)?$", re.DOTALL)
UNKNOWN = re.compile(r"unknown field `(?P<field>.+)`", re.DOTALL)


def parse_params(algorithm: Algorithm, raw: Mapping[str, Any]) -> Params:
    """Typed parameters, defaults filled in.

    Raises:
        InvalidParameters: an unknown name, a wrong type or a value out of bounds; the text names it.
    """
    try:
        return msgspec.convert(dict(raw), algorithm.params, strict=True)
    except msgspec.ValidationError as error:
        raise _explain(algorithm, str(error)) from error


def _explain(algorithm: Algorithm, text: str) -> InvalidParameters:
    unknown = UNKNOWN.search(text)
    if unknown:
        field = unknown["field"]
        offered = ", ".join(algorithm.params.__struct_fields__) or "none"
        problem = f"{algorithm.title} has no parameter {field[:60]!r}. Its parameters: {offered}."
        return InvalidParameters(problem, fields={field[:60]: "Unknown parameter."})
    place = PLACE.match(text)
    field = (place["field"] if place else None) or "parameters"
    problem = place["problem"] if place else text
    return InvalidParameters(
        f"{algorithm.title}, {field}: {problem}. Choose a value within its bounds.",
        fields={field: problem},
    )


def describe_params(algorithm: Algorithm) -> dict[str, Any]:
    """JSON Schema of the parameters: types, bounds, defaults and descriptions."""
    schema = msgspec.json.schema(algorithm.params)
    described: dict[str, Any] = schema["$defs"][algorithm.params.__name__]
    return described
