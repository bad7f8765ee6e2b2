"""Lines and points over two axes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from mlplatform.pictures.canvas import SERIES, drawable, label, legend, segment, svg, text, ticks

WIDTH, HEIGHT = 480.0, 300.0  # of the picture without its legend
LEFT, RIGHT, TOP, BOTTOM = 56.0, 14.0, 12.0, 44.0


@dataclass(frozen=True)
class Axis:
    """What is measured along an edge; without ``low`` and ``high`` it holds all values."""

    title: str
    low: float | None = None
    high: float | None = None
    percent: bool = False


@dataclass(frozen=True)
class Line:
    """n points, joined or not. ``low`` and ``high`` (n each) draw a band of uncertainty around the line.

    An empty ``name`` keeps it out of the legend. ``tone`` picks the colour; left out, the place decides.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    kind: Literal["line", "points", "both", "guide"] = "line"
    low: Sequence[float] = field(default=())
    high: Sequence[float] = field(default=())
    tone: int | None = None


@dataclass(frozen=True)
class _Frame:
    """The inner field and the values at its edges."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The place of a value, kept inside the field."""
        across = min(max((x - self.x_low) / (self.x_high - self.x_low), 0.0), 1.0)
        up = min(max((y - self.y_low) / (self.y_high - self.y_low), 0.0), 1.0)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)


def plot(lines: Sequence[Line], *, x: Axis, y: Axis, title: str, description: str = "") -> str:
    """An SVG of the lines. Values that are not finite are left out; without any it says so.

    Args:
        title: what the picture shows, for those who cannot see it and for a pointer at rest.
        description: the same at length.
    """
    lines = [_finite(line) for line in lines]
    known_x = [value for line in lines for value in line.x]
    known_y = [value for line in lines for part in (line.y, line.low, line.high) for value in part]
    if not known_x:
        nothing = text(WIDTH / 2, 40, "Nothing to draw", anchor="middle")
        return svg([nothing], width=WIDTH, height=80, title=title, description=description)
    frame = _Frame(*_ends(x, known_x), *_ends(y, known_y))
    drawn = [_drawn(line, _tone(line, place), frame) for place, line in enumerate(lines)]
    names = [
        (line.name, f"p-line p-{_tone(line, place)}" if line.kind != "guide" else "p-guide")
        for place, line in enumerate(lines)
        if line.name
    ]
    key, tall = legend(names if len(names) > 1 else [], left=LEFT, top=HEIGHT, width=WIDTH - LEFT - RIGHT)
    return svg(
        [_axes(frame, x, y), *drawn, key],
        width=WIDTH,
        height=HEIGHT + tall,
        title=title,
        description=description,
    )


def _finite(line: Line) -> Line:
    keep = [i for i in range(len(line.x)) if all(map(drawable, (line.x[i], line.y[i], *_band(line, i))))]
    low, high = ([part[i] for i in keep] if part else () for part in (line.low, line.high))
    return Line(
        line.name, [line.x[i] for i in keep], [line.y[i] for i in keep], line.kind, low, high, line.tone
    )


def _band(line: Line, place: int) -> tuple[float, ...]:
    return (line.low[place], line.high[place]) if line.low and line.high else ()


def _ends(axis: Axis, values: Sequence[float]) -> tuple[float, float]:
    low = min(values) if axis.low is None else axis.low
    high = max(values) if axis.high is None else axis.high
    if high <= low:
        margin = abs(low) * 0.05 or 0.5
        return low - margin, low + margin
    room = (high - low) * 0.04
    return (low if axis.low is not None else low - room), (high if axis.high is not None else high + room)


def _axes(frame: _Frame, x: Axis, y: Axis) -> str:
    parts = []
    for value in ticks(frame.y_low, frame.y_high):
        _, at = frame.at(frame.x_low, value)
        parts.append(segment(LEFT, at, WIDTH - RIGHT, at, "p-grid"))
        parts.append(text(LEFT - 7, at + 4, label(value, percent=y.percent), anchor="end", css="p-tick"))
    for value in ticks(frame.x_low, frame.x_high):
        at, _ = frame.at(value, frame.y_low)
        parts.append(segment(at, TOP, at, HEIGHT - BOTTOM, "p-grid"))
        parts.append(
            text(at, HEIGHT - BOTTOM + 16, label(value, percent=x.percent), anchor="middle", css="p-tick")
        )
    parts.append(segment(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "p-axis"))
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x.title, anchor="middle"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    turned = text(0, 0, y.title, anchor="middle")
    parts.append(f'<g transform="translate(13 {middle:.1f}) rotate(-90)">{turned}</g>')
    return "".join(parts)


def _tone(line: Line, place: int) -> int:
    return (place if line.tone is None else line.tone) % SERIES


def _drawn(line: Line, tone: int, frame: _Frame) -> str:
    spots = [frame.at(a, b) for a, b in zip(line.x, line.y, strict=True)]
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in spots)
    if line.kind == "guide":
        return f'<polyline class="p-guide" points="{path}"/>'
    parts = []
    if line.low and line.high:
        edge = [frame.at(a, b) for a, b in zip(line.x, line.high, strict=True)]
        edge += [frame.at(a, b) for a, b in zip(line.x, line.low, strict=True)][::-1]
        around = " ".join(f"{a:.1f},{b:.1f}" for a, b in edge)
        parts.append(f'<polygon class="p-band p-{tone}" points="{around}"/>')
    if line.kind in {"line", "both"}:
        parts.append(f'<polyline class="p-line p-{tone}" points="{path}"/>')
    if line.kind in {"points", "both"}:
        radius = 2.2 if len(spots) > 60 else 3.2
        parts += [
            f'<circle class="p-dot p-{tone}" cx="{a:.1f}" cy="{b:.1f}" r="{radius}"/>' for a, b in spots
        ]
    return "".join(parts)
