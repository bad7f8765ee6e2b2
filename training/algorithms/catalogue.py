"""The table of algorithms as a page for people."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from training.algorithms.base import CLASSIFICATION, Algorithm, Traits
from training.algorithms.parameters import describe_params
from training.algorithms.space import Choices, Range, search_space

HEAD = """# Algorithms

Made from the table of algorithms: `python manage.py list_algorithms --markdown > docs/algorithms.md`.

Parameters that are not named keep their defaults. A range is what a search tries;
the bounds are what is accepted.
"""
TRAIT_WORDS = {
    "probabilities": "probabilities",
    "importance": "importances of its own",
    "incremental": "learns on",
    "handles_missing": "takes missing values",
    "handles_categories": "takes numbered categories",
    "category_sets": "splits categories by sets",
    "scale": "needs scaled inputs",
    "onnx": "has an ONNX twin",
}


def as_markdown(algorithms: Mapping[str, Algorithm]) -> str:
    """One section for each algorithm: what it is for, what it supports, its parameters."""
    return "\n".join([HEAD, *(_section(algorithm) for algorithm in algorithms.values())])


def supports(algorithm: Algorithm) -> list[str]:
    """What the algorithm can do, in words."""
    traits = [trait.name for trait in fields(Traits) if getattr(algorithm.traits, trait.name)]
    if CLASSIFICATION not in algorithm.problems:
        traits = [trait for trait in traits if trait != "probabilities"]
    return [TRAIT_WORDS[trait] for trait in traits]


def _section(algorithm: Algorithm) -> str:
    problems = ", ".join(sorted(algorithm.problems))
    extra = f" Needs the extra `boost` ({algorithm.needs})." if algorithm.needs else ""
    head = f"## {algorithm.title}\n`{algorithm.key}`, for {problems}. {algorithm.advice}{extra}\n"
    traits = supports(algorithm)
    lines = [head, f"Supports: {', '.join(traits)}.\n" if traits else ""]
    rows = list(_parameters(algorithm))
    if rows:
        lines += ["| parameter | default | bounds | search | meaning |\n|---|---|---|---|---|", *rows, ""]
    return "\n".join(line for line in lines if line) + "\n"


def _parameters(algorithm: Algorithm) -> Iterator[str]:
    space = search_space(algorithm)
    for name, described in describe_params(algorithm)["properties"].items():
        options = described.get("anyOf", [described])
        shape = next((option for option in options if option.get("type") != "null"), described)
        default = described.get("default", None)
        meaning = described.get("description") or shape.get("description", "")
        bounds = _bounds(shape) + (" or none" if len(options) > 1 and "enum" not in described else "")
        yield f"| `{name}` | {_plain(default)} | {bounds} | {_range(space.get(name))} | {meaning} |"


def _bounds(shape: Mapping[str, Any]) -> str:
    if "enum" in shape:
        return " or ".join(_plain(choice) for choice in shape["enum"])
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    parts = [f"{sign} {shape[key]:g}" for key, sign in signs.items() if key in shape]
    return ", ".join(parts) or {"boolean": "yes or no"}.get(shape["type"], shape["type"])


def _range(tried: Range | Choices | None) -> str:
    if tried is None:
        return ""
    if isinstance(tried, Choices):
        return ", ".join(_plain(choice) for choice in tried.values)
    return f"{tried.low:g} to {tried.high:g}{', log' if tried.log else ''}"


def _plain(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)
