"""Pictures of what came of what: no box on another, arrows from left to right, links that work."""

import re
import xml.etree.ElementTree as ET
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from mlplatform.pictures import HERE, Arrow, Box, flow

SVG = "{http://www.w3.org/2000/svg}"
EVIL = '"></a><script>alert(1)</script>'


def drawn(boxes: list[Box], arrows: list[tuple[str, str]]) -> ET.Element:
    picture = flow(boxes, [Arrow(*pair) for pair in arrows], title="Lineage", description="of a version")
    return ET.fromstring(picture)  # noqa: S314  # our own output


def named(*keys: str) -> list[Box]:
    return [Box(key, f"Box {key}", ("two lines of words",), f"/{key}") for key in keys]


def frames(picture: ET.Element) -> dict[str, tuple[float, float, float, float]]:
    """Left, top, right and bottom of each box by its title."""
    found = {}
    for node in [*picture.iter(f"{SVG}a"), *picture.iter(f"{SVG}g")]:
        rect = node.find(f"{SVG}rect")
        assert rect is not None
        x, y, wide, tall = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
        found[str(node.findtext(f"{SVG}title")).partition(",")[0]] = (x, y, x + wide, y + tall)
    return found


@given(
    st.integers(1, 14).flatmap(
        lambda n: st.tuples(
            st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=40)
        )
    )
)
def test_whatever_leads_to_what_no_box_covers_another(given_: tuple[int, list[tuple[int, int]]]) -> None:
    count, pairs = given_
    picture = drawn(named(*map(str, range(count))), [(str(one), str(other)) for one, other in pairs])
    width, height = (float(part) for part in picture.attrib["viewBox"].split()[2:])
    places = frames(picture)
    assert len(places) == count
    for left, top, right, bottom in places.values():
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
    for one, other in combinations(places.values(), 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_what_follows_stands_to_the_right_and_long_arrows_go_round() -> None:
    arrows = [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")]
    picture = drawn(named("a", "b", "c", "d"), arrows)
    places = frames(picture)
    assert places["Box a"][0] < places["Box b"][0] < places["Box c"][0] < places["Box d"][0]
    paths = [one.attrib["d"] for one in picture.iter(f"{SVG}path") if one.attrib["class"] == "p-arrow"]
    assert len(paths) == len(arrows)
    longest = max(paths, key=len)
    through = [float(y) for y in re.findall(r"L[\d.]+ ([\d.]+)", longest)]
    middle = [(places[name][1], places[name][3]) for name in ("Box b", "Box c")]
    assert all(not top < y < bottom for y, (top, bottom) in zip(through, middle, strict=True))


def test_a_circle_and_an_arrow_to_nowhere_are_left_out() -> None:
    picture = drawn(named("a", "b"), [("a", "b"), ("b", "a"), ("a", "a"), ("a", "gone"), ("a", "b")])
    assert len([one for one in picture.iter(f"{SVG}path") if one.attrib["class"] == "p-arrow"]) == 1


def test_boxes_are_links_with_words_and_the_start_is_marked() -> None:
    boxes = [Box("a", EVIL, (EVIL,), f"/a?{EVIL}", here=True), Box("b", "No page", ())]
    picture = drawn(boxes, [("a", "b")])
    (link,) = picture.iter(f"{SVG}a")
    assert link.attrib["href"] == f"/a?{EVIL}"
    assert link.attrib["aria-label"] == f"{EVIL}, {EVIL}"
    assert (link.attrib["aria-current"], link.attrib["id"]) == ("true", HERE)
    assert picture.attrib["role"] == "group"
    assert picture.find(f".//{SVG}script") is None


def test_long_words_are_cut_and_kept_in_full_for_the_reader() -> None:
    name = "a-very-long-name-of-a-model-that-fits-into-no-box v12"
    picture = drawn([Box("a", name, ())], [])
    lines = [str(one.text) for one in picture.iter(f"{SVG}text")]
    assert len(lines) == 2
    assert lines[0].endswith("…")
    assert picture.findtext(f".//{SVG}g/{SVG}title") == name


def test_nothing_to_draw_says_so() -> None:
    assert drawn([], []).findtext(f"{SVG}text") == "Nothing to draw"
