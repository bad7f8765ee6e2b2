"""A lane of dots for each name: where each row lies, and by its colour how high its value is (a beeswarm)."""

from collections.abc import Sequence
from dataclasses import dataclass

from mlplatform.pictures.canvas import LETTER, drawable, label, segment, short, svg, text, ticks

WIDTH, LANE, TOP, BOTTOM, RIGHT = 480.0, 26.0, 8.0, 58.0, 14.0
MOST_LETTERS, DOT, STEP = 22, 2.2, 3.4
SHADES = 5  # in the style sheet, from low to high


@dataclass(frozen=True)
class Lane:
    """n values of one name; ``levels`` are from 0 (low) to 1 (high), None where unknown."""

    name: str
    values: Sequence[float]
    levels: Sequence[float | None]


def swarm(lanes: Sequence[Lane], *, axis: str, title: str, description: str = "") -> str:
    """An SVG of the lanes below each other over one axis; dots that would lie on each other are spread."""
    values = [value for lane in lanes for value in lane.values if drawable(value)]
    if not values:
        nothing = text(WIDTH / 2, 40, "Nothing to draw", anchor="middle")
        return svg([nothing], width=WIDTH, height=80, title=title, description=description)
    left = 16 + LETTER * max(len(short(lane.name, MOST_LETTERS)) for lane in lanes)
    low, high = min(0.0, *values), max(0.0, *values)
    span = (high - low) or 1.0
    bottom = TOP + LANE * len(lanes)

    def at(value: float) -> float:
        return left + (value - low) / span * (WIDTH - left - RIGHT)

    parts = []
    for value in ticks(low, low + span, 4):
        parts.append(segment(at(value), TOP, at(value), bottom, "p-grid"))
        parts.append(text(at(value), bottom + 15, label(value), anchor="middle", css="p-tick"))
    parts.append(segment(at(0.0), TOP, at(0.0), bottom, "p-axis"))
    for place, lane in enumerate(lanes):
        middle = TOP + LANE * (place + 0.5)
        parts.append(text(left - 8, middle + 4, short(lane.name, MOST_LETTERS), anchor="end", css="p-tick"))
        pairs = [pair for pair in zip(lane.values, lane.levels, strict=True) if drawable(pair[0])]
        parts += _dots([(at(value), level) for value, level in pairs], middle)
    parts.append(text((left + WIDTH - RIGHT) / 2, bottom + 32, axis, anchor="middle"))
    parts.append(_key(left, bottom + 46))
    return svg(parts, width=WIDTH, height=bottom + BOTTOM, title=title, description=description)


def _dots(spots: Sequence[tuple[float, float | None]], middle: float) -> list[str]:
    """Circles along a line; each further one in the same narrow column goes above or below the last."""
    filled: dict[int, int] = {}
    parts = []
    for x, level in spots:
        column = int(x / STEP)
        count = filled[column] = filled.get(column, -1) + 1
        side = (count + 1) // 2 * (1 if count % 2 else -1)
        room = LANE / 2 - DOT - 1
        y = middle + max(-room, min(room, side * STEP * 0.62))
        parts.append(f'<circle class="p-dot {_shade(level)}" cx="{x:.1f}" cy="{y:.1f}" r="{DOT}"/>')
    return parts


def _shade(level: float | None) -> str:
    return "p-none" if level is None else f"p-level-{min(SHADES - 1, max(0, int(level * SHADES)))}"


def _key(left: float, y: float) -> str:
    """What the colours mean."""
    dots = "".join(
        f'<circle class="p-dot p-level-{shade}" cx="{left + 62 + 10 * shade:.1f}" cy="{y:.1f}" r="4"/>'
        for shade in range(SHADES)
    )
    other = f'<circle class="p-dot p-none" cx="{left + 192:.1f}" cy="{y:.1f}" r="4"/>'
    low = text(left + 54, y + 4, "low value", anchor="end", css="p-tick")
    high = text(left + 112, y + 4, "high value", css="p-tick")
    return low + dots + high + other + text(left + 200, y + 4, "no order, or missing", css="p-tick")
