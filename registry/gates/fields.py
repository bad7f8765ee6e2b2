"""A gate's parameters as people see and write them: fields for a form, texts for a command line."""

import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from registry.gates.base import Gate, Parameters

Kind = Literal["number", "whole", "choice", "text", "lines", "pairs"]


@dataclass(frozen=True)
class Field:
    """One parameter: its kind, what it does, its default, and the choices where there are some."""

    name: str
    title: str
    kind: Kind
    help: str
    default: Any
    optional: bool = False
    choices: tuple[str, ...] = ()


def fields_of(gate: Gate) -> list[Field]:
    """Return the gate's parameters in their order."""
    types = typing.get_type_hints(gate.parameters, include_extras=True)
    return [
        _field(one, types[one.name], getattr(gate.parameters(), one.name))
        for one in msgspec.structs.fields(gate.parameters)
    ]


def parsed(gate: Gate, given: Mapping[str, Any]) -> Parameters:
    """Return the parameters as given in JSON's types; raises ValidationError of msgspec."""
    return msgspec.convert(dict(given), gate.parameters)


def parsed_texts(gate: Gate, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return parameters in JSON's types from texts: several values a line each, pairs as ``name = value``.

    An empty text means the default. Names that the gate does not know stay as they are, to be refused.
    Raises ValueError with a sentence where a text cannot be read.
    """
    known = {field.name: field for field in fields_of(gate)}
    return {
        name: _value(known[name], text.strip()) if name in known else text
        for name, text in texts.items()
        if text.strip()
    }


def as_text(value: Any) -> str:
    """Return a parameter's value as people write it."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return "\n".join(f"{name} = {one:g}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return "\n".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _field(one: msgspec.structs.FieldInfo, annotation: Any, default: Any) -> Field:
    inner, described, optional = _unwrapped(annotation)
    origin = typing.get_origin(inner)
    kinds: dict[Any, Kind] = {Literal: "choice", list: "lines", dict: "pairs"}
    plain: dict[Any, Kind] = {int: "whole", float: "number", str: "text"}
    return Field(
        name=one.name,
        title=one.name.replace("_", " ").capitalize(),
        kind=kinds[origin] if origin in kinds else plain[inner],
        help=described,
        default=default,
        optional=optional,
        choices=typing.get_args(inner) if origin is Literal else (),
    )


def _unwrapped(annotation: Any) -> tuple[Any, str, bool]:
    """Return the type inside ``Annotated`` and ``| None``, its description, and whether None will do."""
    options = [one for one in typing.get_args(annotation) if one is not type(None)]
    optional = type(None) in typing.get_args(annotation)
    annotated = options[0] if optional else annotation
    inner, *notes = typing.get_args(annotated) if hasattr(annotated, "__metadata__") else (annotated,)
    described = next((note.description for note in notes if isinstance(note, msgspec.Meta)), None)
    return inner, described or "", optional


def _value(field: Field, text: str) -> Any:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    match field.kind:
        case "lines":
            return lines
        case "pairs":
            return dict(_pair(field, line) for line in lines)
        case "whole" | "number":
            return _number(field.title, text, whole=field.kind == "whole")
    return text


def _pair(field: Field, line: str) -> tuple[str, float]:
    name, sign, value = line.rpartition("=")
    if not sign or not name.strip():
        raise ValueError(f"{field.title}: write name = number, a line each, instead of {line[:60]!r}.")
    return name.strip(), float(_number(name.strip(), value.strip(), whole=False))


def _number(title: str, text: str, *, whole: bool) -> float | int:
    try:
        return int(text) if whole else float(text)
    except ValueError:
        kind = "whole number" if whole else "number"
        raise ValueError(f"{title}: {text[:60]!r} is no {kind}.") from None
