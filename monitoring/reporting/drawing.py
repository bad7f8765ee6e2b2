"""Drawing our own plots on a PDF page: the shapes that ``mlplatform.pictures`` makes, and no others.

A general SVG engine knows neither the custom properties nor the light and dark colours of our style sheet,
and would fetch what a picture names. This one reads what we drew ourselves and fetches nothing.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree.ElementTree import Element  # the type alone; defusedxml parses

from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]  # has no stubs
from fpdf import FPDF

SVG = "{http://www.w3.org/2000/svg}"
# The light colours of static/platform/pictures.css.
SERIES = ("#4f46e5", "#d97706", "#0d9488", "#db2777", "#0369a1", "#57534e")
TEXT, TICK, GRID, AXIS, DARK = "#374151", "#6b7280", "#e5e7eb", "#9ca3af", "#111827"
LINES = {"p-grid": (GRID, 1.0), "p-axis": (AXIS, 1.0), "p-whisker": (DARK, 1.4), "p-guide": (AXIS, 1.5)}
FILLS = {"p-dot": 0.65, "p-band": 0.15, "p-bar": 0.8}  # how opaque
LETTERS = {"p-tick": (11.0, TICK)}
TURNED = re.compile(r"translate\(([-\d.]+) ([-\d.]+)\) rotate\(([-\d.]+)\)")
UNKNOWN_TO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
POINTS_A_MM = 72 / 25.4


@dataclass(frozen=True)
class Place:
    """Where the picture's corner lies on the page, and how many mm a unit of it takes."""

    pdf: FPDF
    left: float
    top: float
    scale: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the place on the page, in mm."""
        return self.left + x * self.scale, self.top + y * self.scale


def size_of(picture: str) -> tuple[float, float]:
    """Return the width and height of the picture in its own units."""
    _, _, width, height = map(float, _parsed(picture).get("viewBox", "").split())
    return width, height


def draw(pdf: FPDF, picture: str, *, left: float, top: float, width: float) -> float:
    """Draw the picture so wide, in mm; return how tall it is. Raises ValueError for an unknown shape."""
    root = _parsed(picture)
    wide, tall = size_of(picture)
    place = Place(pdf, left, top, width / wide)
    for shape in root:
        _shape(place, shape)
    return tall * place.scale


def _parsed(picture: str) -> Element:
    """Return the picture; signs in somebody's words that XML does not know are left out."""
    root: Element = fromstring(UNKNOWN_TO_XML.sub("", picture))
    return root


def _shape(place: Place, shape: Element) -> None:
    name = shape.tag.removeprefix(SVG)
    if name in ("title", "desc"):
        return
    if name not in SHAPES:
        raise ValueError(f"Pictures in a report have no {name}.")
    SHAPES[name](place, shape)


def _number(shape: Element, name: str) -> float:
    return float(shape.get(name, "0"))


def _classes(shape: Element) -> list[str]:
    return shape.get("class", "").split()


def _colour(classes: list[str]) -> str:
    """Return the colour of the shape's series."""
    tone = next((int(one[2:]) for one in classes if re.fullmatch(r"p-\d", one)), 0)
    return SERIES[tone % len(SERIES)]


def _pen(place: Place, classes: list[str]) -> None:
    colour, wide = next((LINES[one] for one in classes if one in LINES), (_colour(classes), 2.0))
    place.pdf.set_draw_color(colour)
    place.pdf.set_line_width(wide * place.scale)


def _points(place: Place, shape: Element) -> list[tuple[float, float]]:
    pairs = (pair.split(",") for pair in shape.get("points", "").split())
    return [place.at(float(x), float(y)) for x, y in pairs]


def _line(place: Place, shape: Element) -> None:
    _pen(place, _classes(shape))
    start = place.at(_number(shape, "x1"), _number(shape, "y1"))
    place.pdf.line(*start, *place.at(_number(shape, "x2"), _number(shape, "y2")))


def _polyline(place: Place, shape: Element) -> None:
    classes, points = _classes(shape), _points(place, shape)
    _pen(place, classes)
    if "p-guide" in classes:
        place.pdf.set_dash_pattern(dash=5 * place.scale, gap=4 * place.scale)
    if len(points) > 1:
        place.pdf.polyline(points)
    place.pdf.set_dash_pattern()


def _polygon(place: Place, shape: Element) -> None:
    points = _points(place, shape)
    if len(points) > 2:
        _filled(place, _classes(shape), lambda: place.pdf.polygon(points, style="F"))


def _circle(place: Place, shape: Element) -> None:
    x, y = place.at(_number(shape, "cx"), _number(shape, "cy"))
    radius = _number(shape, "r") * place.scale
    _filled(place, _classes(shape), lambda: place.pdf.circle(x=x, y=y, radius=radius, style="F"))


def _rect(place: Place, shape: Element) -> None:
    x, y = place.at(_number(shape, "x"), _number(shape, "y"))
    wide, tall = (_number(shape, side) * place.scale for side in ("width", "height"))
    _filled(place, _classes(shape), lambda: place.pdf.rect(x, y, wide, tall, style="F"))


def _filled(place: Place, classes: list[str], paint: Callable[[], None]) -> None:
    opaque = next((FILLS[one] for one in classes if one in FILLS), 1.0)
    with place.pdf.local_context(fill_opacity=opaque):
        place.pdf.set_fill_color(_colour(classes))
        paint()


def _text(place: Place, shape: Element) -> None:
    words = shape.text or ""
    size, colour = next((LETTERS[one] for one in _classes(shape) if one in LETTERS), (12.0, TEXT))
    place.pdf.set_font(size=size * place.scale * POINTS_A_MM)
    place.pdf.set_text_color(colour)
    x, y = place.at(_number(shape, "x"), _number(shape, "y"))
    share = {"middle": 0.5, "end": 1.0}.get(shape.get("text-anchor", ""), 0.0)
    place.pdf.text(x - share * place.pdf.get_string_width(words), y, words)


def _group(place: Place, shape: Element) -> None:
    turned = TURNED.fullmatch(shape.get("transform", ""))
    if turned is None:
        raise ValueError("Groups of pictures in a report are turned, or not there.")
    x, y, angle = map(float, turned.groups())
    left, top = place.at(x, y)
    with place.pdf.rotation(-angle, left, top):
        for inner in shape:
            _shape(Place(place.pdf, left, top, place.scale), inner)


SHAPES: dict[str, Callable[[Place, Element], None]] = {
    "circle": _circle,
    "g": _group,
    "line": _line,
    "polygon": _polygon,
    "polyline": _polyline,
    "rect": _rect,
    "text": _text,
}
