"""Writing a table as Parquet in parts, so that the same rows always make the same bytes.

The bytes depend on the rows alone, not on the parts in which they came: row groups are cut anew at a size
that follows from the number of columns, and each is written from memory that lies together.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

GROUP_ROWS = 1 << 20
GROUP_CELLS = 1 << 22


@dataclass
class Written:
    """What was written: ``frame`` is the whole table where it is small enough to be kept in memory."""

    names: list[str]
    rows: int
    size: int
    sha256: str
    frame: pd.DataFrame | None


class _Hashed:
    """A file that knows the hash and the number of the bytes written to it."""

    def __init__(self, target: IO[bytes]) -> None:
        self.target, self.hash, self.size, self.closed = target, hashlib.sha256(), 0, False

    def write(self, data: Any) -> int:
        self.hash.update(data)
        self.size += len(data)
        self.target.write(data)
        return len(data)

    def flush(self) -> None:
        self.target.flush()


def write_parts(parts: Iterable[pd.DataFrame], target: IO[bytes], *, keep_cells: int) -> Written:
    """Write the frames below each other to ``target``; all need the same columns and dtypes.

    A table of up to ``keep_cells`` cells comes back as one frame. Raises ``pa.ArrowInvalid``,
    ``ArrowTypeError`` or ``ArrowNotImplementedError`` for a column that mixes kinds of values, ValueError
    where there is no part.
    """
    kept = _Kept(keep_cells)
    tables = _tables(kept.passing(parts))
    first = next(tables, None)
    if first is None:
        raise ValueError("There is no part to write.")
    file = _Hashed(target)
    group = max(1, min(GROUP_ROWS, GROUP_CELLS // max(first.num_columns, 1)))
    with parquet.ParquetWriter(pa.PythonFile(file, "w"), first.schema, compression="zstd") as writer:
        for table in _grouped(first, tables, group):
            writer.write_table(table, row_group_size=group)
    return Written(kept.names, kept.rows, file.size, file.hash.hexdigest(), kept.frame())


def read_parts(source: IO[bytes], names: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
    """Yield the row groups of what ``write_parts`` wrote, with the dtypes they had; ``names`` alone."""
    source.seek(0)
    file = parquet.ParquetFile(source)
    for number in range(file.num_row_groups):
        yield file.read_row_group(number, columns=names, use_threads=False).to_pandas()


class _Kept:
    """The frames seen so far, for as long as they are few cells."""

    def __init__(self, most: int) -> None:
        self.names: list[str] = []
        self.rows, self.most = 0, most
        self.frames: list[pd.DataFrame] = []

    def passing(self, parts: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for part in parts:
            self.names = [str(name) for name in part.columns]
            self.rows += len(part)
            if self.rows * len(self.names) <= self.most:
                self.frames.append(part)
            else:
                self.frames.clear()
            yield part

    def frame(self) -> pd.DataFrame | None:
        if not self.frames:
            return None
        return self.frames[0] if len(self.frames) == 1 else pd.concat(self.frames, ignore_index=True)


def _tables(parts: Iterable[pd.DataFrame]) -> Iterator[pa.Table]:
    schema = None
    for part in parts:
        named = part.set_axis([str(name) for name in part.columns], axis=1)
        table = pa.Table.from_pandas(named, schema=schema, preserve_index=False)
        schema = schema or table.schema
        yield table


def _grouped(first: pa.Table, others: Iterator[pa.Table], group: int) -> Iterator[pa.Table]:
    """Yield the same rows in tables of ``group`` rows, the last one shorter."""
    held = first
    for table in others:
        held = pa.concat_tables([held, table])
        while held.num_rows >= group:
            yield held.slice(0, group).combine_chunks()
            held = held.slice(group)
    for start in range(0, held.num_rows, group):
        yield held.slice(start, group).combine_chunks()
