"""Rows as sent to the numbers that a graph asks for, without a table in between.

Each piece of a recipe becomes a function of the rows. The numbers are those of the fitted pipeline, computed
by the same operations in the same order wherever rounding could tell.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from registry.inference.recipe import Affine, Bell, Dates, Lookup, Marks, Member, Numbers, Part, Piece, Words
from registry.tabular.labels import label_text

Floats = npt.NDArray[np.float64]
Rows = Sequence[Mapping[str, Any]]
Encoder = Callable[[Rows], Floats]

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # dates are kept in UTC without saying so
DAY = 86_400_000_000  # microseconds
WORD = re.compile(r"(?u)\b\w\w+\b")  # what scikit-learn takes for a word
PARTS_OF_A_DATE = 8
# The ends of the bell curve, as scikit-learn cuts them: 1e-7 from 0 and 1.
CUT = 1e-7
LOWEST, HIGHEST = ndtri(CUT - np.spacing(1)), ndtri(1 - (CUT - np.spacing(1)))


def encoder(member: Member) -> Encoder:
    """A function of n checked rows that gives the numbers (n, d) of this member's graph."""
    parts = [_part(part) for part in member.parts]
    keep = None if member.keep is None else np.asarray(member.keep, dtype="int64")

    def encode(rows: Rows) -> Floats:
        blocks = [part(rows) for part in parts]
        numbers = blocks[0] if len(blocks) == 1 else np.hstack(blocks)
        if keep is not None:
            numbers = numbers[:, keep]
        # The trees of scikit-learn compare 32-bit values with 64-bit thresholds.
        return numbers.astype("float32").astype("float64") if member.rounded else numbers

    return encode


def _part(part: Part) -> Encoder:
    pieces = [_piece(piece) for piece in part.pieces]
    scale = scaling(part.scale)

    def encode(rows: Rows) -> Floats:
        blocks = [piece(rows) for piece in pieces]
        return scale(blocks[0] if len(blocks) == 1 else np.hstack(blocks))

    return encode


def scaling(scale: Affine | Bell | None) -> Callable[[Floats], Floats]:
    """A function that brings numbers (n, d) to the scale."""
    if isinstance(scale, Affine):
        shift, width = np.asarray(scale.shift), np.asarray(scale.width)
        return lambda numbers: (numbers - shift) / width
    if isinstance(scale, Bell):
        ranks = np.asarray(scale.ranks)
        columns = [np.asarray(quantiles) for quantiles in scale.quantiles]
        return partial(_on_a_bell, columns=columns, ranks=ranks)
    return lambda numbers: numbers


def _on_a_bell(numbers: Floats, columns: Sequence[Floats], ranks: Floats) -> Floats:
    """As scikit-learn's QuantileTransformer: the mean of the ranks from below and from above."""
    done = np.empty_like(numbers)
    for place, quantiles in enumerate(columns):
        values = numbers[:, place]
        rank = 0.5 * (
            np.interp(values, quantiles, ranks) - np.interp(-values, -quantiles[::-1], -ranks[::-1])
        )
        rank = np.where(values + CUT > quantiles[-1], 1.0, rank)
        rank = np.where(values - CUT < quantiles[0], 0.0, rank)  # the last word where all values were one
        done[:, place] = np.clip(ndtri(rank), LOWEST, HIGHEST)
        done[np.isnan(values), place] = np.nan
    return done


def _piece(piece: Piece) -> Encoder:
    makers: dict[type[Any], Callable[[Any], Encoder]] = {
        Numbers: _numbers,
        Marks: _marks,
        Lookup: _lookup,
        Dates: _dates,
        Words: _words,
    }
    return makers[type(piece)](piece)


def _read(columns: Sequence[str]) -> Encoder:
    """The values as numbers (n, columns), NaN where there is none."""
    if len(columns) == 1:
        [name] = columns
        return lambda rows: np.array([[row[name]] for row in rows], dtype="float64")
    values = itemgetter(*columns)
    return lambda rows: np.array([values(row) for row in rows], dtype="float64")


def _numbers(piece: Numbers) -> Encoder:
    read = _read(piece.columns)
    fill = np.array(piece.fill, dtype="float64")  # None becomes NaN, which fills nothing
    empty = np.asarray(piece.empty, dtype="int64")

    def encode(rows: Rows) -> Floats:
        numbers = read(rows)
        absent = np.isnan(numbers)
        if absent.any():
            numbers = np.where(absent, fill, numbers)
        if len(empty):
            numbers[:, empty] = 0.0
        return numbers

    return encode


def _marks(piece: Marks) -> Encoder:
    read = _read(piece.columns)
    return lambda rows: np.isnan(read(rows)).astype("float64")


def _lookup(piece: Lookup) -> Encoder:
    known = {key: np.asarray(row, dtype="float64") for key, row in zip(piece.keys, piece.rows, strict=True)}
    other = np.asarray(piece.other, dtype="float64")

    def encode(rows: Rows) -> Floats:
        return np.array([known.get(_text(row[piece.column]) or piece.missing, other) for row in rows])

    return encode


def _text(value: Any) -> str:
    return "" if value is None else label_text(value)


def _dates(piece: Dates) -> Encoder:
    def encode(rows: Rows) -> Floats:
        if piece.first is None or piece.median is None:
            return np.zeros((len(rows), PARTS_OF_A_DATE))
        moments = [_moment(row[piece.column], piece.median) for row in rows]
        return np.array([_parts_of(moment, piece.first) for moment in moments])

    return encode


def _moment(value: Any, median: int) -> int:
    text = _text(value)
    if not text:
        return median
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _parts_of(moment: int, first: int) -> list[float]:
    days, rest = divmod(moment, DAY)
    date = datetime.fromordinal(EPOCH.toordinal() + days)
    hour, minute = rest // 3_600_000_000, rest // 60_000_000 % 60
    return [
        date.year,
        *_circle(date.month - 1, 12),
        *_circle(date.weekday(), 7),
        *_circle(hour + minute / 60, 24),
        (moment - first) / DAY,
    ]


def _circle(value: float, period: int) -> tuple[float, float]:
    angle = 2 * np.pi * value / period
    return float(np.sin(angle)), float(np.cos(angle))


def _words(piece: Words) -> Encoder:
    places = {word: place for place, word in enumerate(piece.vocabulary)}

    def weigh(text: str) -> Floats:
        weights = np.zeros(len(places))
        for word, count in Counter(WORD.findall(text.lower())).items():
            if word in places:
                weights[places[word]] = count * piece.weights[places[word]]
        length = math.sqrt(float(weights @ weights))
        return weights / length if length else weights

    return lambda rows: np.array([weigh(_text(row[piece.column])) for row in rows])
