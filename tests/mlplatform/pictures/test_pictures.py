"""Plots: valid SVG with escaped words, whatever the figures; marks where the values are."""

import math
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlplatform.admin.pictures import plots
from mlplatform.pictures import (
    Axis,
    Bar,
    Figure,
    Group,
    Lane,
    Line,
    bars,
    matrix,
    plot,
    silhouette,
    spread,
    swarm,
)
from mlplatform.pictures.canvas import label, ticks

EVIL = "</svg><script>alert(1)</script>"
SVG = "{http://www.w3.org/2000/svg}"
ANY = st.floats(allow_nan=True, allow_infinity=True)


def parsed(picture: str) -> ET.Element:
    return ET.fromstring(picture)  # noqa: S314  # our own output


def of(picture: str, tag: str, css: str) -> list[ET.Element]:
    return [one for one in parsed(picture).iter(f"{SVG}{tag}") if css in one.attrib.get("class", "").split()]


@given(values=st.lists(st.tuples(ANY, ANY), max_size=8))
def test_any_figures_make_a_well_formed_plot(values: list[tuple[float, float]]) -> None:
    x, y = [a for a, _ in values], [b for _, b in values]
    kinds = [Line(EVIL, x, y), Line("band", x, y, "both", low=y, high=y), Line("guide", x, y, "guide")]
    picture = plot(kinds, x=Axis(EVIL), y=Axis(EVIL, 0, 1, percent=True), title=EVIL, description=EVIL)
    shown = parsed(picture)
    assert shown.findtext(f"{SVG}title") == EVIL
    assert shown.find(f".//{SVG}script") is None
    numbers = [dot.attrib[name] for dot in shown.iter(f"{SVG}circle") for name in ("cx", "cy")]
    assert all(math.isfinite(float(number)) for number in numbers)
    parsed(bars([Bar(EVIL, a, b, b) for a, b in values], axis=EVIL, title=EVIL))


def test_points_lie_where_their_values_are() -> None:
    picture = plot([Line("a", [0, 5, 10], [0, 5, 10], "points")], x=Axis("x"), y=Axis("y"), title="t")
    dots = [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in of(picture, "circle", "p-dot")]
    assert [first[0] < second[0] and first[1] > second[1] for first, second in pairwise(dots)] == [True, True]
    assert dots[1][0] == pytest.approx((dots[0][0] + dots[2][0]) / 2, abs=0.1)


def test_several_lines_have_a_legend_and_colours_of_their_own() -> None:
    lines = [Line("old", [0, 1], [0, 1]), Line("new", [0, 1], [1, 0])]
    picture = plot(lines, x=Axis("x"), y=Axis("y"), title="t")
    words = [one.text for one in parsed(picture).iter(f"{SVG}text")]
    assert {"old", "new"} <= set(words)
    assert of(picture, "polyline", "p-0")
    assert of(picture, "polyline", "p-1")


def test_bars_are_as_long_as_their_values_and_go_left_below_zero() -> None:
    up, double, down = of(
        bars([Bar("a", 1), Bar("b", 2), Bar("c", -1)], axis="x", title="t"), "rect", "p-bar"
    )
    assert float(double.attrib["width"]) == pytest.approx(2 * float(up.attrib["width"]), abs=0.2)
    assert float(down.attrib["x"]) < float(up.attrib["x"])
    assert "p-1" in down.attrib["class"]


def test_a_matrix_shows_counts_and_the_share_of_each_row() -> None:
    names = ["no", EVIL]
    picture = matrix(
        [[8, 2], [0, 5]], rows=names, columns=names, row_title="true", column_title="said", title="t"
    )
    words = [one.text for one in parsed(picture).iter(f"{SVG}text")]
    assert {"8", "80%", "2", "20%", "5", "100%"} <= set(words)
    shades = [float(cell.attrib["fill-opacity"]) for cell in of(picture, "rect", "p-cell")]
    assert shades[3] > shades[0] > shades[1] > shades[2]


def test_ticks_are_round_and_inside() -> None:
    assert ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert ticks(-37, 112) == [0, 50, 100] or ticks(-37, 112) == [-20, 0, 20, 40, 60, 80, 100]
    assert [label(value) for value in (0.25, 1200.0, 34_000.0, 3_400_000.0)] == [
        "0.25",
        "1,200",
        "34k",
        "3.4M",
    ]
    assert label(0.255, percent=True) == "25.5%"


def test_a_section_shows_pictures_as_pictures_and_words_as_words() -> None:
    picture = bars([Bar("a", 1)], axis="x", title="t")
    section = plots("Plots", [Figure(EVIL, picture, "what one sees")])
    (figure,) = section.context["figures"]
    assert figure["picture"].__html__() == picture
    assert not hasattr(figure["title"], "__html__")


@given(values=st.lists(st.tuples(ANY, st.none() | st.floats(0, 1)), max_size=8))
def test_any_figures_make_a_well_formed_swarm(values: list[tuple[float, float | None]]) -> None:
    lanes = [Lane(EVIL, [a for a, _ in values], [level for _, level in values])]
    shown = parsed(swarm(lanes, axis=EVIL, title=EVIL))
    assert shown.findtext(f"{SVG}title") == EVIL
    assert shown.find(f".//{SVG}script") is None
    places = [dot.attrib[name] for dot in shown.iter(f"{SVG}circle") for name in ("cx", "cy")]
    assert all(math.isfinite(float(place)) for place in places)


def test_a_swarms_dots_lie_where_their_values_are_and_are_coloured_by_level() -> None:
    picture = swarm([Lane("a", [-1, 0, 2], [0.0, None, 1.0])], axis="x", title="t")
    dots = [one for one in of(picture, "circle", "p-dot") if one.attrib["r"] == "2.2"]
    assert [dot.attrib["class"] for dot in dots] == ["p-dot p-level-0", "p-dot p-none", "p-dot p-level-4"]
    x = [float(dot.attrib["cx"]) for dot in dots]
    assert (x[2] - x[1]) == pytest.approx(2 * (x[1] - x[0]), abs=0.2)


def test_dots_that_would_lie_on_each_other_are_spread_within_their_lane() -> None:
    picture = swarm([Lane("a", [1.0] * 40, [0.5] * 40), Lane("b", [0.0], [0.5])], axis="x", title="t")
    dots = [one for one in of(picture, "circle", "p-level-2") if one.attrib["r"] == "2.2"]
    heights = [float(dot.attrib["cy"]) for dot in dots[:40]]
    assert len({dot.attrib["cx"] for dot in dots[:40]}) == 1
    assert len(set(heights)) > 5
    assert max(heights) < float(dots[40].attrib["cy"]) - 5


@given(values=st.lists(ANY, max_size=8), share=ANY, mean=ANY)
def test_any_figures_make_well_formed_silhouettes(values: list[float], share: float, mean: float) -> None:
    shown = parsed(silhouette([Group(EVIL, values, 0.5), Group("b", values, 0.5)], title=EVIL, mean=mean))
    assert shown.findtext(f"{SVG}title") == EVIL
    assert shown.find(f".//{SVG}script") is None


def test_a_groups_band_is_as_deep_as_it_is_large_and_as_wide_as_its_values() -> None:
    picture = silhouette([Group("a", [1.0, 0.5], 0.75), Group("b", [0.25], 0.25)], title="t", mean=0.5)
    corners = [
        [tuple(map(float, pair.split(","))) for pair in one.attrib["points"].split()]
        for one in of(picture, "polygon", "p-bar")
    ]
    deep = [max(y for _, y in one) - min(y for _, y in one) for one in corners]
    assert deep[0] == pytest.approx(3 * deep[1], rel=0.01)
    wide = [max(x for x, _ in one) - min(x for x, _ in one) for one in corners]
    assert wide[0] == pytest.approx(4 * wide[1], rel=0.01)
    assert len(of(picture, "line", "p-guide")) == 1


@given(edges=st.lists(ANY, max_size=6), counts=st.lists(st.integers(0, 10**9), max_size=5))
def test_any_figures_make_a_well_formed_spread(edges: list[float], counts: list[int]) -> None:
    if len(edges) != len(counts) + 1:
        counts = [1] * max(len(edges) - 1, 0)
    shown = parsed(spread(sorted(edges, key=str), counts, axis=EVIL, title=EVIL, threshold=0.5))
    assert shown.findtext(f"{SVG}title") == EVIL


def test_bars_beyond_the_threshold_have_another_colour_and_empty_bins_none() -> None:
    picture = spread([0, 0.25, 0.5, 0.75, 1], [9, 0, 1, 4], axis="x", title="t", threshold=0.5)
    drawn = of(picture, "rect", "p-bar")
    assert [bar.attrib["class"] for bar in drawn] == ["p-bar p-0", "p-bar p-1", "p-bar p-1"]
    tall = [float(bar.attrib["height"]) for bar in drawn]
    assert tall[0] == pytest.approx(3 * tall[1], rel=0.01)
    assert tall[2] == pytest.approx(2 * tall[1], rel=0.01)
