"""A table of counts, the fuller the darker."""

from collections.abc import Sequence

from mlplatform.pictures.canvas import LETTER, short, svg, text

LEAST, MOST, TOP = 34.0, 92.0, 40.0
MOST_LETTERS = 16


def matrix(
    counts: Sequence[Sequence[float]],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    row_title: str,
    column_title: str,
    title: str,
    description: str = "",
) -> str:
    """An SVG of counts (r, c) with the share of each row: the row's total is 100 %."""
    left = 34 + LETTER * max((len(short(name, MOST_LETTERS)) for name in rows), default=1)
    cell = max(LEAST, min(MOST, 400 / max(len(columns), 1)))
    tall = min(cell, 56.0)
    width, height = left + cell * len(columns) + 10, TOP + tall * len(rows) + 10
    room = max(int(cell / LETTER), 3)
    parts = [text(left + cell * len(columns) / 2, 14, column_title, anchor="middle")]
    turned = text(0, 0, row_title, anchor="middle")
    parts.append(f'<g transform="translate(13 {TOP + tall * len(rows) / 2:.1f}) rotate(-90)">{turned}</g>')
    for place, name in enumerate(columns):
        parts.append(
            text(left + cell * (place + 0.5), TOP - 7, short(name, room), anchor="middle", css="p-tick")
        )
    for place, (name, line) in enumerate(zip(rows, counts, strict=True)):
        y, total = TOP + tall * place, sum(line) or 1.0
        words = short(name, MOST_LETTERS)
        parts.append(text(left - 8, y + tall / 2 + 4, words, anchor="end", css="p-tick"))
        parts += [_cell(left + cell * i, y, cell, tall, count, count / total) for i, count in enumerate(line)]
    return svg(parts, width=width, height=height, title=title, description=description)


def _cell(x: float, y: float, wide: float, tall: float, count: float, share: float) -> str:
    box = (
        f'<rect class="p-cell" x="{x + 1:.1f}" y="{y + 1:.1f}" width="{wide - 2:.1f}" '
        f'height="{tall - 2:.1f}" rx="3" fill-opacity="{0.06 + 0.84 * share:.2f}"/>'
    )
    css = "p-on" if share > 0.5 else "p-off"
    figure = text(
        x + wide / 2, y + tall / 2 + (0 if tall > 44 else 4), f"{count:,.0f}", anchor="middle", css=css
    )
    if tall <= 44:
        return box + figure
    return box + figure + text(x + wide / 2, y + tall / 2 + 15, f"{share:.0%}", anchor="middle", css=css)
