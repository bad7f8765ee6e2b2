"""Pictures: valid SVG with escaped words, whatever the figures."""

import xml.etree.ElementTree as ET

import pytest
from django.utils.safestring import SafeString

from mlplatform.admin.pictures import comparison, density, histogram, line_chart, sparkline

EVIL = "</svg><script>alert(1)</script>"


def _parsed(picture: SafeString) -> ET.Element:
    return ET.fromstring(picture)  # noqa: S314  # our own output


@pytest.mark.parametrize("values", [[], [0, 0], [1], [5, 3, 8]])
def test_every_picture_is_well_formed(values: list[float]) -> None:
    labels = [str(value) for value in values]
    edges = list(range(len(values) + 1))
    for picture in (
        sparkline(values, title=EVIL),
        histogram(values, title=EVIL),
        comparison(values, values, title=EVIL),
        density(edges, values, title=EVIL),
        line_chart(values, labels, title=EVIL, target=0.5),
    ):
        title = _parsed(picture).find("title")
        assert title is not None
        assert title.text == EVIL


def test_bars_follow_the_counts() -> None:
    heights = [float(bar.attrib["height"]) for bar in _parsed(histogram([1, 2, 4], title="x")).iter("rect")]
    assert heights[2] == pytest.approx(2 * heights[1], rel=0.02)
    assert heights[1] == pytest.approx(2 * heights[0], rel=0.02)


def test_a_comparison_shows_shares_not_counts() -> None:
    bars = list(_parsed(comparison([1, 3], [100, 300], title="x")).iter("rect"))
    assert bars[0].attrib["height"] == bars[2].attrib["height"]


def test_equally_full_bins_of_unequal_width_differ_in_height() -> None:
    narrow, wide = _parsed(density([0, 1, 11], [10, 10], title="x")).iter("rect")
    assert float(narrow.attrib["height"]) > 5 * float(wide.attrib["height"])
