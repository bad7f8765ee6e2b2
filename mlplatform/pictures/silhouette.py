"""How well the rows of each group lie in it: a band for each group, as deep as the group is large."""

from collections.abc import Sequence
from dataclasses import dataclass

from mlplatform.pictures.canvas import LETTER, SERIES, drawable, label, segment, short, svg, text, ticks

WIDTH, HEIGHT, LEAST, GAP, TOP, BOTTOM, RIGHT = 480.0, 260.0, 16.0, 8.0, 8.0, 44.0, 14.0
MOST_LETTERS = 18


@dataclass(frozen=True)
class Group:
    """A group's values from -1 to 1, and its share of all rows."""

    name: str
    values: Sequence[float]
    share: float


def silhouette(
    groups: Sequence[Group], *, title: str, mean: float | None = None, description: str = ""
) -> str:
    """An SVG of the groups below each other, each one's values sorted; a dashed line at the mean."""
    known = [(one, sorted((v for v in one.values if drawable(v)), reverse=True)) for one in groups]
    drawn = [(one, values) for one, values in known if values]
    if not drawn:
        nothing = text(WIDTH / 2, 40, "Nothing to draw", anchor="middle")
        return svg([nothing], width=WIDTH, height=80, title=title, description=description)
    left = 16 + LETTER * max(len(short(one.name, MOST_LETTERS)) for one, _ in drawn)
    low = max(-1.0, min(0.0, *(values[-1] for _, values in drawn)))
    whole = sum(max(one.share, 0.0) for one, _ in drawn) or 1.0
    depths = [max(LEAST, HEIGHT * max(one.share, 0.0) / whole) for one, _ in drawn]
    bottom = TOP + sum(depths) + GAP * len(drawn)

    def at(value: float) -> float:
        return left + (min(max(value, low), 1.0) - low) / (1.0 - low) * (WIDTH - left - RIGHT)

    parts = []
    for value in ticks(low, 1.0, 5):
        parts.append(segment(at(value), TOP, at(value), bottom, "p-grid"))
        parts.append(text(at(value), bottom + 15, label(value), anchor="middle", css="p-tick"))
    y = TOP
    for place, ((one, values), deep) in enumerate(zip(drawn, depths, strict=True)):
        name = short(one.name, MOST_LETTERS)
        parts.append(text(left - 8, y + deep / 2 + 4, name, anchor="end", css="p-tick"))
        step = deep / len(values)
        edge = [f"{at(v):.1f},{y + step * (i + part):.1f}" for i, v in enumerate(values) for part in (0, 1)]
        corners = " ".join([f"{at(0):.1f},{y:.1f}", *edge, f"{at(0):.1f},{y + deep:.1f}"])
        parts.append(f'<polygon class="p-bar p-{place % SERIES}" points="{corners}"/>')
        y += deep + GAP
    parts.append(segment(at(0.0), TOP, at(0.0), bottom, "p-axis"))
    if drawable(mean):
        parts.append(segment(at(mean), TOP, at(mean), bottom, "p-guide"))
    parts.append(text((left + WIDTH - RIGHT) / 2, bottom + 33, "Silhouette", anchor="middle"))
    return svg(parts, width=WIDTH, height=bottom + BOTTOM, title=title, description=description)
