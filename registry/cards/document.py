"""A card as plain data: parts with blocks, whose texts are shown as they are and never read as markup."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Sentence:
    """A sentence of the platform's own; ``missing`` ones say that something is not there."""

    text: str
    missing: bool = False


@dataclass(frozen=True)
class Prose:
    """What somebody wrote: lines, and paragraphs between empty ones. ``note`` says who wrote it when."""

    title: str
    text: str
    note: str = ""

    def paragraphs(self) -> list[list[str]]:
        """The lines of each paragraph, without empty ones."""
        found: list[list[str]] = [[]]
        for line in self.text.splitlines():
            if line.strip():
                found[-1].append(line.strip())
            elif found[-1]:
                found.append([])
        return [paragraph for paragraph in found if paragraph]


@dataclass(frozen=True)
class Facts:
    """Names and values."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Grid:
    """A table: each row has a text for each column."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    note: str = ""


Block = Sentence | Prose | Facts | Grid


@dataclass(frozen=True)
class Part:
    """A heading and what stands below it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Document:
    """A whole card; ``metadata`` is the front matter that programs read."""

    title: str
    lead: str
    parts: Sequence[Part]
    metadata: Mapping[str, Any] = field(default_factory=dict)
