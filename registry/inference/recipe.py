"""What a twin does before and after its graph, as plain data that is stored inside the twin.

Before: how a row's values become the numbers that each member's graph asks for (``Member``). After: how the
graphs' numbers become an answer (``Head``). Nothing in it is code, so reading a recipe runs nothing.
"""

from typing import TypeAlias

import msgspec


class Affine(msgspec.Struct, frozen=True, tag="affine"):
    """(x - shift) / width, column by column."""

    shift: list[float]
    width: list[float]


class Bell(msgspec.Struct, frozen=True, tag="bell"):
    """The rank among the training rows, on a bell curve: ``quantiles`` of each column at the ``ranks``."""

    quantiles: list[list[float]]
    ranks: list[float]


Scale: TypeAlias = Affine | Bell


class Numbers(msgspec.Struct, frozen=True, tag="numbers"):
    """Number columns as they are; ``fill`` stands for what is missing, None leaves it missing.

    Columns at the places ``empty`` had no value in training and are 0.
    """

    columns: list[str]
    fill: list[float | None]
    empty: list[int] = []


class Marks(msgspec.Struct, frozen=True, tag="marks"):
    """1 where the number is missing, else 0."""

    columns: list[str]


class Lookup(msgspec.Struct, frozen=True, tag="lookup"):
    """A category as the row of numbers that stands beside it, ``other`` where it is not among the keys."""

    column: str
    missing: str
    keys: list[str]
    rows: list[list[float]]
    other: list[float]


class Dates(msgspec.Struct, frozen=True, tag="dates"):
    """A date as eight numbers; ``first`` and ``median`` in microseconds since 1970, None: none was seen."""

    column: str
    first: int | None
    median: int | None


class Words(msgspec.Struct, frozen=True, tag="words"):
    """A text as the weights of its words (TF-IDF, length 1), in the vocabulary's order."""

    column: str
    vocabulary: list[str]
    weights: list[float]


Piece: TypeAlias = Numbers | Marks | Lookup | Dates | Words


class Part(msgspec.Struct, frozen=True):
    """Pieces side by side, then brought to a scale."""

    pieces: list[Piece]
    scale: Scale | None = None


class Member(msgspec.Struct, frozen=True):
    """One pipeline: its parts side by side, the columns that are kept (None: all), rounded or not."""

    parts: list[Part]
    keep: list[int] | None = None
    rounded: bool = False  # to 32 bits, as the trees compare


class Sigmoid(msgspec.Struct, frozen=True, tag="sigmoid"):
    """Platt's correction over the log odds."""

    slope: float
    shift: float


class Stairs(msgspec.Struct, frozen=True, tag="stairs"):
    """A rising line through points, never nearer than the margin to 0 or 1."""

    x: list[float]
    y: list[float]
    margin: float


class Classes(msgspec.Struct, frozen=True, tag="classes"):
    """Probabilities (n, k), corrected by one calibrator (two classes) or k; a threshold for one class."""

    labels: list[str]
    calibrators: list[Sigmoid | Stairs] | None = None
    positive: int = 1
    threshold: float | None = None


class Labels(msgspec.Struct, frozen=True, tag="labels"):
    """Places of labels (n, 1): the model gives no probabilities."""

    labels: list[str]


class Number(msgspec.Struct, frozen=True, tag="number"):
    """Predicted numbers (n, 1)."""


class Anomaly(msgspec.Struct, frozen=True, tag="anomaly"):
    """How unusual rows are (n, 1), raw: brought to 0 ... 1 by the training rows' own, flagged above."""

    centre: float
    spread: float
    values: list[float]
    ranks: list[float]
    threshold: float


class Nearest(msgspec.Struct, frozen=True, tag="nearest"):
    """Distances (n, m) to anchors: the cluster of the nearest one, none beyond its reach (None: no end)."""

    clusters: list[int]
    reaches: list[float | None]


class Clouds(msgspec.Struct, frozen=True, tag="clouds"):
    """Memberships and distances to the means of k clouds, side by side (n, 2k)."""

    count: int


Head: TypeAlias = Classes | Labels | Number | Anomaly | Nearest | Clouds


class Recipe(msgspec.Struct, frozen=True):
    """A twin but for its graph; ``weights`` mix the members' answers (None: there is one member).

    ``pooled``: what is mixed is the logarithms of probabilities.
    """

    members: list[Member]
    head: Head
    weights: list[float] | None = None
    pooled: bool = False
