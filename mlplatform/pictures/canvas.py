"""What every picture is drawn with: escaped text, round ticks, short numbers, a legend."""

import math
from collections.abc import Sequence
from html import escape
from typing import TypeGuard

LETTER = 7.0  # the mean width of a letter at 12 px
LINE_HEIGHT = 18
SERIES = 6  # colours in the style sheet
LARGEST = 1e150  # the distance of two larger ones may overflow


def drawable(value: float | None) -> TypeGuard[float]:
    """Whether a value has a place on an axis."""
    return value is not None and math.isfinite(value) and abs(value) <= LARGEST


def svg(
    parts: Sequence[str],
    *,
    width: float,
    height: float,
    title: str,
    description: str = "",
    role: str = "img",
) -> str:
    """The parts as one picture that a screen reader can name; ``role`` is group where it has links."""
    told = f"<desc>{escape(description)}</desc>" if description else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="p-svg" width="{width * 1.1:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="{role}"><title>{escape(title)}</title>{told}'
        f"{''.join(parts)}</svg>"
    )


def text(x: float, y: float, words: str, *, anchor: str = "start", css: str = "p-text") -> str:
    """A word at a place; ``anchor`` is start, middle or end."""
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def segment(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """A straight line."""
    return f'<line class="{css}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def short(words: str, letters: int = 22) -> str:
    """The words cut to so many letters."""
    return words if len(words) <= letters else words[: letters - 1] + "…"


def label(value: float, *, percent: bool = False) -> str:
    """A number as short as it can be read: 0.25, 1,200, 3.4M, 25 %."""
    if percent:
        return f"{value * 100:.3g}%"
    size = abs(value)
    for scale, sign in ((1e9, "B"), (1e6, "M"), (1e4, "k")):
        if size >= scale:
            return f"{value / (1e3 if sign == 'k' else scale):.3g}{sign}"
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2e}" if 0 < size < 1e-3 else f"{value:.4g}"


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """About ``wanted`` round numbers from low to high, steps of 1, 2 or 5 times a power of ten."""
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return [low]
    raw = span / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def legend(names: Sequence[tuple[str, str]], *, left: float, top: float, width: float) -> tuple[str, float]:
    """Swatches with names, wrapped to the width: (SVG, height). Each name comes with its CSS classes."""
    parts, x, y = [], left, top
    for name, css in names:
        words = short(name, 40)
        needed = 24 + LETTER * len(words) + 14
        if x > left and x + needed > left + width:
            x, y = left, y + LINE_HEIGHT
        parts.append(segment(x, y + 8, x + 16, y + 8, css) + text(x + 22, y + 12, words))
        x += needed
    return "".join(parts), (y - top + LINE_HEIGHT if names else 0)
