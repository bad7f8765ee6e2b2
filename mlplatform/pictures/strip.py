"""A day at a glance: a row of cells, each in the colour of how something was."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from mlplatform.pictures.canvas import svg, text

WIDTH, HEIGHT, MARGIN, BOTTOM = 576.0, 22.0, 2.0, 16.0


@dataclass(frozen=True)
class Cell:
    """One place of the strip: ``tone`` is good, muted, warn, bad or none, ``words`` say what was."""

    tone: str
    words: str


def strip(cells: Sequence[Cell], *, title: str, left: str, right: str, description: str = "") -> str:
    """An SVG of the cells side by side; neighbours that are alike are drawn as one.

    ``left`` and ``right`` say when the strip begins and ends.
    """
    wide, parts, place = (WIDTH - 2 * MARGIN) / max(len(cells), 1), [], 0
    for cell, alike in groupby(cells):
        count = len(list(alike))
        x = f'x="{MARGIN + place * wide:.2f}" y="0" width="{count * wide:.2f}" height="{HEIGHT:.0f}"'
        parts.append(f'<rect class="p-strip-{cell.tone}" {x}><title>{escape(cell.words)}</title></rect>')
        place += count
    parts.append(text(MARGIN, HEIGHT + 13, left, css="p-tick"))
    parts.append(text(WIDTH - MARGIN, HEIGHT + 13, right, anchor="end", css="p-tick"))
    return svg(parts, width=WIDTH, height=HEIGHT + BOTTOM, title=title, description=description)
