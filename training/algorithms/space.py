"""What a search tries: the range or the choices of each parameter."""

import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from training.algorithms.base import Algorithm


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``; on a log scale where factors matter more than differences."""

    low: float
    high: float
    log: bool
    whole: bool


@dataclass(frozen=True)
class Choices:
    """One of these values."""

    values: tuple[Any, ...]


Space = Mapping[str, Range | Choices]


def search_space(algorithm: Algorithm) -> Space:
    """What a search may vary, by parameter; parameters without a stated range keep their default."""
    hints = typing.get_type_hints(algorithm.params, include_extras=True)
    found: dict[str, Range | Choices] = {}
    for name in algorithm.params.__struct_fields__:
        for kind, meta in _annotated(hints[name]):
            if meta.extra and "search" in meta.extra:
                found[name] = _read(meta.extra["search"], kind)
    return found


def _annotated(hint: Any) -> Iterator[tuple[Any, msgspec.Meta]]:
    """The pairs of type and Meta inside a type hint, a union with None included."""
    if typing.get_origin(hint) is typing.Annotated:
        kind, *metas = typing.get_args(hint)
        yield from ((kind, meta) for meta in metas if isinstance(meta, msgspec.Meta))
    else:
        for part in typing.get_args(hint):
            yield from _annotated(part)


def _read(stated: Mapping[str, Any], kind: Any) -> Range | Choices:
    if "choices" in stated:
        return Choices(tuple(stated["choices"]))
    return Range(float(stated["low"]), float(stated["high"]), bool(stated["log"]), kind is int)
