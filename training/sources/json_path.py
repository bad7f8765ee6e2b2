"""Paths such as ``data.items`` into what a web service answers."""

import re
from collections.abc import Mapping
from typing import Any

STEP = re.compile(r"([^.\[\]]+)|\[(\d{1,6})\]")
SHAPE = re.compile(r"\$?\.?([^.\[\]]+|\[\d{1,6}\])?(\.[^.\[\]]+|\[\d{1,6}\])*")
NOTHING = object()


def is_path(path: str) -> bool:
    """Tell whether the text is a path: names with dots between them, and places such as ``[0]``."""
    return SHAPE.fullmatch(path) is not None


def at_path(value: Any, path: str) -> Any:
    """Return what stands at the path, ``NOTHING`` where there is nothing; an empty path is the whole."""
    for name, place in STEP.findall(path.removeprefix("$")):
        if name and isinstance(value, Mapping):
            value = value.get(name, NOTHING)
        elif place and isinstance(value, list) and int(place) < len(value):
            value = value[int(place)]
        else:
            return NOTHING
    return value
