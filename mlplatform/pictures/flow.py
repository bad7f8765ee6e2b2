"""Boxes in columns from left to right with arrows between them: what came of what.

A layered drawing (Sugiyama, Tagawa, Toda, IEEE SMC 1981;11:109): each box stands one column to the right of
the last box that leads to it, long arrows go through places of their own, and the boxes of a column are
ordered by the middle of their neighbours. Boxes are links, so that the picture can be walked by keyboard.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from mlplatform.pictures.canvas import LETTER, svg, text

BOX, LINE, PAD, GAP, ROOM, MARGIN = 176.0, 16.0, 9.0, 40.0, 14.0, 8.0
THROUGH = 12.0  # the height of the place through which a long arrow goes
LETTERS = int((BOX - 2 * PAD) / LETTER)
SWEEPS = 6
HERE = "p-here"  # the name of the start's box, to which a page can lead
Place = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A box: ``title`` stands out, ``lines`` below it; ``tone`` names its colour, ``here`` the start."""

    key: str
    title: str
    lines: Sequence[str] = ()
    url: str = ""
    tone: str = "0"
    here: bool = False

    @property
    def words(self) -> str:
        """All its words in one sentence."""
        return ", ".join([self.title, *self.lines])

    def shown(self) -> list[str]:
        """The lines as they fit into the box."""
        return [piece for line in (self.title, *self.lines) for piece in wrapped(line)]

    @property
    def height(self) -> float:
        """How tall it is drawn."""
        return 2 * PAD + LINE * len(self.shown()) - 3


@dataclass(frozen=True)
class Arrow:
    """From one box to another, by their keys."""

    start: str
    end: str


def flow(boxes: Sequence[Box], arrows: Iterable[Arrow], *, title: str, description: str = "") -> str:
    """An SVG of the boxes; an arrow to what is no box is left out, and so is one that closes a circle."""
    if not boxes:
        nothing = text(BOX / 2, 24, "Nothing to draw", anchor="middle")
        return svg([nothing], width=BOX, height=40, title=title, description=description, role="group")
    by_key = {box.key: box for box in boxes}
    kept = _without_circles(by_key, arrows)
    columns = _columns(list(by_key), kept)
    chains = _chains(columns, kept)
    order = _ordered(columns, chains)
    places, height = _places(order, by_key)
    parts = [_arrow([places[key] for key in chain], by_key, chain) for chain in chains]
    parts += [_box(box, *places[box.key]) for box in boxes]
    width = 2 * MARGIN + len(order) * BOX + (len(order) - 1) * GAP
    return svg(
        [_HEAD, *parts], width=width, height=height, title=title, description=description, role="group"
    )


_HEAD = (
    '<defs><marker id="p-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path class="p-head" d="M0 0.5 L7.5 4 L0 7.5 z"/></marker></defs>'
)


def wrapped(line: str) -> list[str]:
    """The line in at most two that fit into a box, broken between words where it can be."""
    found = [""]
    for word in line.split():
        longer = f"{found[-1]} {word}".strip()
        if len(longer) <= LETTERS or not found[-1]:
            found[-1] = longer
        else:
            found.append(word)
    told = found[:2] if len(found) < 3 else [found[0], " ".join(found[1:])]
    return [one if len(one) <= LETTERS else f"{one[: LETTERS - 1]}…" for one in told]


def _without_circles(boxes: Mapping[str, Box], arrows: Iterable[Arrow]) -> list[tuple[str, str]]:
    """The arrows between boxes, each once, but for those that lead back to where a walk came from."""
    following: dict[str, list[str]] = defaultdict(list)
    for pair in dict.fromkeys((one.start, one.end) for one in arrows):
        if pair[0] in boxes and pair[1] in boxes and pair[0] != pair[1]:
            following[pair[0]].append(pair[1])
    kept: list[tuple[str, str]] = []
    done: set[str] = set()
    for root in boxes:
        open_now: dict[str, int] = {} if root in done else {root: 0}
        while open_now:
            key, place = next(reversed(open_now.items()))
            if place == len(following[key]):
                done.add(key)
                del open_now[key]
                continue
            open_now[key] += 1
            after = following[key][place]
            if after not in open_now:
                kept.append((key, after))
                if after not in done:
                    open_now[after] = 0
    return kept


def _columns(keys: Sequence[str], arrows: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The column of each box: one more than the last that leads to it; roots stand before what follows."""
    before, after = defaultdict(list), defaultdict(list)
    for start, end in arrows:
        before[end].append(start)
        after[start].append(end)
    column: dict[str, int] = {}
    waiting = {key: len(before[key]) for key in keys}
    ready = [key for key in keys if not waiting[key]]
    while ready:
        key = ready.pop()
        column[key] = max((column[one] + 1 for one in before[key]), default=0)
        for one in after[key]:
            waiting[one] -= 1
            if not waiting[one]:
                ready.append(one)
    for key in keys:
        if not before[key] and after[key]:
            column[key] = min(column[one] for one in after[key]) - 1
    return column


def _chains(columns: Mapping[str, int], arrows: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Each arrow as the keys of the places it goes through, one a column."""
    return [
        [start, *(f"{start}>{end}@{column}" for column in range(columns[start] + 1, columns[end])), end]
        for start, end in arrows
    ]


def _ordered(columns: Mapping[str, int], chains: Sequence[Sequence[str]]) -> list[list[str]]:
    """The keys of each column from top to bottom, so that few arrows cross."""
    table: list[list[str]] = [[] for _ in range(max(columns.values()) + 1)]
    for key, column in columns.items():
        table[column].append(key)
    left, right = defaultdict(list), defaultdict(list)
    for chain in chains:
        for step, (one, other) in enumerate(pairwise(chain)):
            right[one].append(other)
            left[other].append(one)
            if step:
                table[columns[chain[0]] + step].append(one)
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for keys in table[1:] if forward else table[-2::-1]:
            beside = left if forward else right
            height = {key: place for line in table for place, key in enumerate(line)}
            keys.sort(key=lambda key: _middle([height[one] for one in beside[key]], height[key]))
    return table


def _middle(places: Sequence[int], otherwise: int) -> float:
    return sum(places) / len(places) if places else float(otherwise)


def _places(order: Sequence[Sequence[str]], boxes: Mapping[str, Box]) -> tuple[dict[str, Place], float]:
    """The left upper corner of each box and place, and the height of the picture."""
    heights = [
        sum(_height(key, boxes) for key in column) + ROOM * max(len(column) - 1, 0) for column in order
    ]
    tallest = max(heights)
    places: dict[str, Place] = {}
    for number, (column, tall) in enumerate(zip(order, heights, strict=True)):
        y = MARGIN + (tallest - tall) / 2
        for key in column:
            places[key] = (MARGIN + number * (BOX + GAP), y)
            y += _height(key, boxes) + ROOM
    return places, tallest + 2 * MARGIN


def _height(key: str, boxes: Mapping[str, Box]) -> float:
    return boxes[key].height if key in boxes else THROUGH


def _arrow(corners: Sequence[Place], boxes: Mapping[str, Box], chain: Sequence[str]) -> str:
    """A curve from the right side of the first box through its places to the left side of the last one."""
    middles = [y + _height(key, boxes) / 2 for key, (_, y) in zip(chain, corners, strict=True)]
    path = f"M{corners[0][0] + BOX:.1f} {middles[0]:.1f}"
    for step in range(1, len(chain)):
        begin, end = corners[step - 1][0] + BOX, corners[step][0]
        path += f" C{begin + GAP / 2:.1f} {middles[step - 1]:.1f} {end - GAP / 2:.1f} {middles[step]:.1f}"
        path += f" {end:.1f} {middles[step]:.1f}"
        if step < len(chain) - 1:
            path += f" L{end + BOX:.1f} {middles[step]:.1f}"
    return f'<path class="p-arrow" d="{path}" marker-end="url(#p-head)"/>'


def _box(box: Box, x: float, y: float) -> str:
    lines = box.shown()
    titles = len(wrapped(box.title))
    frame = (
        f'<rect class="p-box" x="{x:.1f}" y="{y:.1f}" width="{BOX}" height="{box.height:.1f}" rx="7"/>'
        f'<rect class="p-bar" x="{x:.1f}" y="{y:.1f}" width="4" height="{box.height:.1f}" rx="2"/>'
    )
    words = "".join(
        text(
            x + PAD + 3,
            y + PAD + LINE * (place + 0.7),
            line,
            css="p-name" if place < titles else "p-tick",
        )
        for place, line in enumerate(lines)
    )
    css = f"p-node p-{escape(box.tone)}{' p-here' if box.here else ''}"
    name = f' id="{HERE}"' if box.here else ""
    inside = f"<title>{escape(box.words)}</title>{frame}{words}"
    if not box.url:
        return f'<g{name} class="{css}">{inside}</g>'
    current = ' aria-current="true"' if box.here else ""
    label = escape(box.words)
    return f'<a{name} class="{css}" href="{escape(box.url)}" aria-label="{label}"{current}>{inside}</a>'
