"""A table of correlations: one colour where two rise together, another where one falls as the other rises."""

from collections.abc import Sequence

from mlplatform.pictures.canvas import LETTER, short, svg, text

MOST_LETTERS, TOP = 18, 84.0
LEAST_WITH_FIGURES = 30.0


def correlation(
    values: Sequence[Sequence[float | None]], names: Sequence[str], *, title: str, description: str = ""
) -> str:
    """An SVG of coefficients (n, n) between -1 and 1; None stays empty."""
    cell = max(20.0, min(44.0, 420 / max(len(names), 1)))
    left = 16 + LETTER * max((len(short(name, MOST_LETTERS)) for name in names), default=1)
    parts = []
    for place, name in enumerate(names):
        word = text(0, 0, short(name, 12), css="p-tick")
        parts.append(
            f'<g transform="translate({left + cell * (place + 0.6):.1f} {TOP - 6}) rotate(-45)">{word}</g>'
        )
        y = TOP + cell * (place + 0.5) + 4
        parts.append(text(left - 8, y, short(name, MOST_LETTERS), anchor="end", css="p-tick"))
    for row, line in enumerate(values):
        for column, value in enumerate(line):
            if value is not None:
                parts.append(_cell(left + cell * column, TOP + cell * row, cell, value))
    size = cell * len(names)
    return svg(parts, width=left + size + 60, height=TOP + size + 8, title=title, description=description)


def _cell(x: float, y: float, size: float, value: float) -> str:
    css = "p-cell" if value >= 0 else "p-cell p-minus"
    box = (
        f'<rect class="{css}" x="{x + 1:.1f}" y="{y + 1:.1f}" width="{size - 2:.1f}" height="{size - 2:.1f}" '
        f'rx="3" fill-opacity="{0.05 + 0.85 * min(abs(value), 1.0):.2f}"><title>{value:.2f}</title></rect>'
    )
    if size < LEAST_WITH_FIGURES:
        return box
    css = "p-on" if abs(value) > 0.5 else "p-off"
    return box + text(x + size / 2, y + size / 2 + 4, f"{value:.1f}", anchor="middle", css=css)
