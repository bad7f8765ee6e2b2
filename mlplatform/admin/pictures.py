"""Small pictures as inline SVG: drawn on the server, so they need no script and print well."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from mlplatform.admin.parts import Fragment
from mlplatform.pictures import Figure


def plots(title: str, figures: Sequence[Figure], note: str = "") -> Fragment:
    """Return a section of a page with these plots side by side where there is room."""
    shown = [
        # Drawn by mlplatform.pictures, which escapes every word.
        {"title": figure.title, "words": figure.words, "picture": mark_safe(figure.picture)}  # noqa: S308
        for figure in figures
    ]
    return Fragment(title, "admin/parts/plots.html", {"figures": shown}, note)


def sparkline(values: Sequence[float], *, title: str, width: int = 96, height: int = 24) -> SafeString:
    """Return a line of the values, oldest first."""
    return format_html(
        '<svg class="c-spark" width="{}" height="{}" viewBox="0 0 {} {}" role="img"><title>{}</title>'
        '<polyline points="{}"/></svg>',
        width,
        height,
        width,
        height,
        title,
        _points(values, width, height),
    )


def histogram(counts: Sequence[float], *, title: str, width: int = 96, height: int = 28) -> SafeString:
    """Return one bar for each count."""
    return format_html(
        '<svg class="c-hist" width="{}" height="{}" viewBox="0 0 {} {}" role="img"><title>{}</title>{}</svg>',
        width,
        height,
        width,
        height,
        title,
        _bars(counts, width, height, css="c-bar"),
    )


def comparison(
    reference: Sequence[float], current: Sequence[float], *, title: str, width: int = 140, height: int = 32
) -> SafeString:
    """Return two histograms on the same bins, as shares, beside each other in each bin."""
    expected, found = _shares(reference), _shares(current)
    top = max([*expected, *found, 1e-9])
    return format_html(
        '<svg class="c-hist" width="{}" height="{}" viewBox="0 0 {} {}" role="img">'
        "<title>{}</title>{}{}</svg>",
        width,
        height,
        width,
        height,
        title,
        _bars(expected, width, height, css="c-bar c-reference", top=top, half=0),
        _bars(found, width, height, css="c-bar c-current", top=top, half=1),
    )


def line_chart(
    values: Sequence[float], labels: Sequence[str], *, title: str, target: float | None = None
) -> SafeString:
    """Return a chart of the values over time, oldest first, with a dashed line at ``target``."""
    width, height, pad = 1080, 150, 8
    known = [*values, *([] if target is None else [target])]
    low, high = min(known, default=0.0), max(known, default=1.0)
    margin = (high - low) * 0.15 or max(abs(high) * 0.05, 0.01)
    low, high = low - margin, high + margin

    def place(index: int, value: float) -> tuple[str, str]:
        x = pad + (width - 2 * pad) * (index / (len(values) - 1) if len(values) > 1 else 0.5)
        return f"{x:.1f}", f"{height - pad - (height - 2 * pad) * (value - low) / (high - low):.1f}"

    spots = [place(index, value) for index, value in enumerate(values)]
    dots = format_html_join(
        "",
        '<circle cx="{}" cy="{}" r="4"><title>{}</title></circle>',
        ((x, y, label) for (x, y), label in zip(spots, labels, strict=True)),
    )
    level = (
        format_html('<line class="c-target" x1="0" x2="{}" y1="{}" y2="{}"/>', width, y, y)
        if target is not None and (y := place(0, target)[1])
        else ""
    )
    return format_html(
        '<svg class="c-chart" viewBox="0 0 {} {}" role="img"><title>{}</title>{}'
        '<polyline points="{}"/>{}</svg>',
        width,
        height,
        title,
        level,
        " ".join(f"{x},{y}" for x, y in spots),
        dots,
    )


def _points(values: Sequence[float], width: int, height: int) -> str:
    top = max([*values, 1e-9])
    step = (width - 4) / max(len(values) - 1, 1)
    return " ".join(
        f"{2 + index * step:.1f},{height - 2 - (height - 4) * value / top:.1f}"
        for index, value in enumerate(values)
    )


def _shares(counts: Sequence[float]) -> list[float]:
    total = sum(counts) or 1
    return [count / total for count in counts]


def _bars(
    counts: Sequence[float],
    width: int,
    height: int,
    *,
    css: str,
    top: float | None = None,
    half: int | None = None,
) -> SafeString:
    highest = top or max([*counts, 1e-9])
    step = width / max(len(counts), 1)
    wide = max(step * (0.84 if half is None else 0.42), 0.5)
    bars = []
    for index, count in enumerate(counts):
        tall = (height - 1) * count / highest
        left = index * step + (wide if half else 0)
        bars.append((css, f"{left:.1f}", f"{height - tall:.1f}", f"{wide:.1f}", f"{max(tall, 0.5):.1f}"))
    return format_html_join("", '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', bars)


def density(
    edges: Sequence[float], counts: Sequence[float], *, title: str, width: int = 96, height: int = 28
) -> SafeString:
    """Return bars over bins of unequal width, as tall as the rows per unit.

    ``edges`` has one value more than ``counts``; a bin without width (a single value) is drawn as a thin bar.
    """
    span = (edges[-1] - edges[0]) or 1.0
    least = span / width
    heights = [
        count / max(right - left, least) for left, right, count in zip(edges, edges[1:], counts, strict=False)
    ]
    top = max([*heights, 1e-12])
    bars = [
        (
            f"{(left - edges[0]) / span * (width - 1):.1f}",
            f"{height - (height - 1) * tall / top:.1f}",
            f"{max((right - left) / span * width - 0.4, 1):.1f}",
            f"{max((height - 1) * tall / top, 0.5):.1f}",
        )
        for left, right, tall in zip(edges, edges[1:], heights, strict=False)
    ]
    return format_html(
        '<svg class="c-hist" width="{}" height="{}" viewBox="0 0 {} {}" role="img"><title>{}</title>{}</svg>',
        width,
        height,
        width,
        height,
        title,
        format_html_join("", '<rect class="c-bar" x="{}" y="{}" width="{}" height="{}"/>', bars),
    )
