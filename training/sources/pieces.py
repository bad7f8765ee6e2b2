"""A table that is read in parts, so that no file needs to fit into memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa


@dataclass
class Seen:
    """What the parts of one column looked like; ``commas`` tells of numbers such as 1.234,5 in its text."""

    kind: pa.DataType = field(default_factory=pa.null)
    gaps: bool = False
    commas: bool = True
    surely: bool = False

    def add(self, kind: pa.DataType, gaps: bool) -> None:
        """Take the next part's type, and whether it has gaps."""
        self.kind = common_type(self.kind, kind)
        self.gaps = self.gaps or gaps

    def settled(self) -> pa.DataType:
        """Return the type that holds every part: whole numbers with gaps are kept as decimals."""
        return pa.float64() if self.gaps and pa.types.is_integer(self.kind) else self.kind


@dataclass(frozen=True)
class Pieces:
    """Parts with the same columns and types; ``tables`` may be called once, and reads while it goes."""

    tables: Callable[[], Iterator[pa.Table]]

    @classmethod
    def of(cls, table: pa.Table) -> "Pieces":
        """Return a table that is in memory already as its only part."""
        return cls(lambda: iter([table]))

    def whole(self) -> pa.Table:
        """Return all parts as one table."""
        return pa.concat_tables(self.tables())


def common_type(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """Return the narrowest type that holds both: text where nothing else does."""
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    numbers = pa.types.is_integer, pa.types.is_floating
    if all(any(test(kind) for test in numbers) for kind in (one, other)):
        return pa.float64()
    moments = pa.types.is_date, pa.types.is_timestamp
    zones = {getattr(kind, "tz", None) for kind in (one, other)}
    if all(any(test(kind) for test in moments) for kind in (one, other)) and len(zones) == 1:
        units = {getattr(kind, "unit", "s") for kind in (one, other)}
        return pa.timestamp(next(unit for unit in ("ns", "us", "ms", "s") if unit in units), zones.pop())
    return pa.string()
