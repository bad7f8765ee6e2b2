"""A canonical frame to the numbers that a graph asks for: what ``encoding.py`` does with rows, by columns.

Only for pieces that whole columns can be brought through at once: numbers, marks and look-ups. For others
there is no encoder, and a table is answered by the original.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.inference.recipe import Affine, Lookup, Marks, Member, Numbers, Part

Floats = npt.NDArray[np.float64]
TableEncoder = Callable[[pd.DataFrame], Floats]


def table_encoder(member: Member) -> TableEncoder | None:
    """A function of a canonical frame that gives the numbers (n, d) of this member's graph, or None."""
    parts = [_part(part) for part in member.parts]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    keep = None if member.keep is None else np.asarray(member.keep, dtype="int64")

    def encode(frame: pd.DataFrame) -> Floats:
        numbers = _side_by_side([part(frame) for part in known])
        if keep is not None:
            numbers = numbers[:, keep]
        return numbers.astype("float32").astype("float64") if member.rounded else numbers

    return encode


def _part(part: Part) -> TableEncoder | None:
    pieces = [_piece(piece) for piece in part.pieces]
    known = [piece for piece in pieces if piece is not None]
    if len(known) < len(pieces) or not isinstance(part.scale, Affine | None):
        return None
    scale = part.scale
    if scale is None:
        return lambda frame: _side_by_side([piece(frame) for piece in known])
    shift, width = np.asarray(scale.shift), np.asarray(scale.width)
    return lambda frame: (_side_by_side([piece(frame) for piece in known]) - shift) / width


def _side_by_side(blocks: list[Floats]) -> Floats:
    return blocks[0] if len(blocks) == 1 else np.hstack(blocks)


def _piece(piece: Any) -> TableEncoder | None:
    if isinstance(piece, Numbers):
        return _numbers(piece)
    if isinstance(piece, Marks):
        return lambda frame: np.isnan(_read(frame, piece.columns)).astype("float64")
    return _lookup(piece) if isinstance(piece, Lookup) else None


def _read(frame: pd.DataFrame, columns: list[str]) -> Floats:
    return frame[columns].to_numpy(dtype="float64")


def _numbers(piece: Numbers) -> TableEncoder:
    fill = np.array(piece.fill, dtype="float64")  # None becomes NaN, which fills nothing
    empty = np.asarray(piece.empty, dtype="int64")
    fills = bool(np.isfinite(fill).any())

    def encode(frame: pd.DataFrame) -> Floats:
        numbers = _read(frame, piece.columns)
        if fills:
            numbers = np.where(np.isnan(numbers), fill, numbers)
        if len(empty):
            numbers[:, empty] = 0.0
        return numbers

    return encode


def _lookup(piece: Lookup) -> TableEncoder:
    places = {key: place for place, key in enumerate(piece.keys)}
    keys = pd.Index(list(places), dtype="str")
    rows = np.asarray([*(piece.rows[place] for place in places.values()), piece.other], dtype="float64")

    def encode(frame: pd.DataFrame) -> Floats:
        texts = frame[piece.column].fillna(piece.missing)
        return np.asarray(rows[keys.get_indexer(pd.Index(texts))])  # what is not known is at -1: the last one

    return encode
