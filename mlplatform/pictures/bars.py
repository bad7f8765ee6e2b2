"""Horizontal bars beside their names, with an interval where there is one."""

from collections.abc import Sequence
from dataclasses import dataclass

from mlplatform.pictures.canvas import LETTER, drawable, label, segment, short, svg, text, ticks

WIDTH, ROW, TOP, BOTTOM, RIGHT = 480.0, 24.0, 6.0, 40.0, 64.0
MOST_LETTERS = 24


@dataclass(frozen=True)
class Bar:
    """A named value; ``low`` and ``high`` are the ends of its interval, ``words`` stand in its place."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    words: str = ""


def bars(rows: Sequence[Bar], *, axis: str, title: str, percent: bool = False, description: str = "") -> str:
    """An SVG of one bar per row, the first on top; bars below zero go to the left in another colour."""
    rows = [row for row in rows if drawable(row.value)]
    if not rows:
        nothing = text(WIDTH / 2, 40, "Nothing to draw", anchor="middle")
        return svg([nothing], width=WIDTH, height=80, title=title, description=description)
    left = 16 + LETTER * max(len(short(row.name, MOST_LETTERS)) for row in rows)
    ends = [0.0] + [v for row in rows for v in (row.value, row.low, row.high) if drawable(v)]
    low, high = min(ends), max(ends)
    span = (high - low) or 1.0
    height = TOP + ROW * len(rows)

    def at(value: float) -> float:
        return left + (value - low) / span * (WIDTH - left - RIGHT)

    parts = []
    for value in ticks(low, low + span, 4):
        parts.append(segment(at(value), TOP, at(value), height, "p-grid"))
        parts.append(
            text(at(value), height + 15, label(value, percent=percent), anchor="middle", css="p-tick")
        )
    for place, row in enumerate(rows):
        parts.append(_bar(row, TOP + ROW * place, left, at(0.0), at(row.value)))
        if drawable(row.low) and drawable(row.high):
            parts.append(_whisker(at(row.low), at(row.high), TOP + ROW * place + ROW / 2))
        words = row.words or label(row.value, percent=percent)
        end = max(at(v) for v in (0.0, row.value, row.high) if drawable(v))
        parts.append(text(end + 6, TOP + ROW * place + ROW / 2 + 4, words, css="p-tick"))
    parts.append(segment(at(0.0), TOP, at(0.0), height, "p-axis"))
    parts.append(text((left + WIDTH - RIGHT) / 2, height + 33, axis, anchor="middle"))
    return svg(parts, width=WIDTH, height=height + BOTTOM, title=title, description=description)


def _bar(row: Bar, y: float, left: float, zero: float, end: float) -> str:
    x, wide = min(zero, end), max(abs(end - zero), 0.8)
    tone = 0 if row.value >= 0 else 1
    name = text(left - 8, y + ROW / 2 + 4, short(row.name, MOST_LETTERS), anchor="end")
    place = f'x="{x:.1f}" y="{y + 4:.1f}" width="{wide:.1f}" height="{ROW - 8}" rx="2"'
    return f'{name}<rect class="p-bar p-{tone}" {place}/>'


def _whisker(low: float, high: float, y: float) -> str:
    return (
        segment(low, y, high, y, "p-whisker")
        + segment(low, y - 4, low, y + 4, "p-whisker")
        + segment(high, y - 4, high, y + 4, "p-whisker")
    )
