"""How values are spread: a bar for each bin, those beyond a threshold in another colour."""

import math
from collections.abc import Sequence
from itertools import pairwise

from mlplatform.pictures.canvas import drawable, label, segment, svg, text, ticks

WIDTH, HEIGHT = 480.0, 260.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 14.0, 20.0, 44.0


def spread(
    edges: Sequence[float],
    counts: Sequence[float],
    *,
    axis: str,
    title: str,
    threshold: float | None = None,
    description: str = "",
) -> str:
    """An SVG of n counts over n + 1 rising edges; heights grow with the root, so that rare bins are seen."""
    if len(edges) < 2 or not all(map(drawable, edges)) or edges[-1] <= edges[0] or not any(counts):
        nothing = text(WIDTH / 2, 40, "Nothing to draw", anchor="middle")
        return svg([nothing], width=WIDTH, height=80, title=title, description=description)
    low, span, most = edges[0], edges[-1] - edges[0], max(counts)

    def across(value: float) -> float:
        return LEFT + min(max((value - low) / span, 0.0), 1.0) * (WIDTH - LEFT - RIGHT)

    def up(count: float) -> float:
        return HEIGHT - BOTTOM - math.sqrt(max(count, 0.0) / most) * (HEIGHT - TOP - BOTTOM)

    parts = []
    for share in (0.04, 0.25, 1.0):
        level = max(1, round(most * share))
        parts.append(segment(LEFT, up(level), WIDTH - RIGHT, up(level), "p-grid"))
        parts.append(text(LEFT - 6, up(level) + 4, label(level), anchor="end", css="p-tick"))
    parts += [
        text(across(value), HEIGHT - BOTTOM + 15, label(value), anchor="middle", css="p-tick")
        for value in ticks(low, edges[-1], 5)
    ]
    for (start, end), count in zip(pairwise(edges), counts, strict=True):
        beyond = threshold is not None and (start + end) / 2 > threshold
        parts.append(
            _bar(across(start), across(end), up(count), tone=1 if beyond else 0) if count > 0 else ""
        )
    parts.append(segment(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "p-axis"))
    if drawable(threshold):
        parts.append(segment(across(threshold), TOP - 6, across(threshold), HEIGHT - BOTTOM, "p-guide"))
        parts.append(text(across(threshold) - 4, TOP, "threshold", anchor="end", css="p-tick"))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, axis, anchor="middle"))
    return svg(parts, width=WIDTH, height=HEIGHT, title=title, description=description)


def _bar(start: float, end: float, top: float, *, tone: int) -> str:
    wide, tall = max(end - start - 1, 0.8), max(HEIGHT - BOTTOM - top, 0.8)
    place = f'x="{start:.1f}" y="{HEIGHT - BOTTOM - tall:.1f}" width="{wide:.1f}" height="{tall:.1f}"'
    return f'<rect class="p-bar p-{tone}" {place}/>'
