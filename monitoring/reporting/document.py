"""A report as plain data: words, small tables and pictures, whose texts are never read as markup."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mlplatform.pictures import Figure
from registry.cards.document import Facts, Grid, Prose, Sentence

Block = Sentence | Prose | Facts | Grid | Figure
KINDS = {Sentence: "sentence", Prose: "prose", Facts: "facts", Grid: "table", Figure: "picture"}


@dataclass(frozen=True)
class Chapter:
    """A heading, the articles that it serves (keys of ``articles.ARTICLES``), and its blocks."""

    title: str
    blocks: Sequence[Block]
    serves: Sequence[str] = ()


@dataclass(frozen=True)
class Content:
    """What a report says. ``verdict`` is three sentences; nothing tells when or by whom it was made."""

    title: str
    about: Facts
    verdict: Sequence[str]
    chapters: Sequence[Chapter]


@dataclass(frozen=True)
class Report:
    """The content, and under what circumstances it was put together; ``made`` names them in words."""

    content: Content
    made: Facts
    name: str

    @property
    def digest(self) -> str:
        """The SHA-256 of the content: two reports that say the same have the same, whoever made them when."""
        return content_hash(self.content)


def content_hash(content: Content) -> str:
    """Return the SHA-256 of the content as canonical JSON, in hexadecimal."""
    plain = json.dumps(asdict(content), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


def block_data(block: Block) -> dict[str, Any]:
    """Return a block as plain data with its ``kind``."""
    return {"kind": KINDS[type(block)], **asdict(block)}


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    title: str,
    most: int = 20,
    total: int | None = None,
    note: str = "",
) -> Grid:
    """Return a table of the first ``most`` rows, with a count of those left out of ``total``."""
    left = (len(rows) if total is None else total) - most
    cut = f"{left:,} more {'row is' if left == 1 else 'rows are'} left out here." if left > 0 else ""
    return Grid(columns, rows[:most], title, " ".join(part for part in (cut, note) if part))
