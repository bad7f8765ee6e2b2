"""Cutting a file into pieces that can be read one by one, by whomever, in any order."""

from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

import msgspec
import pyarrow as pa
from pyarrow import ipc, parquet

from training.batching.layouts import ARROW, PARQUET, Layout
from training.sources.records import slices_of

LARGEST_GROUP = 4  # times the rows of a piece: a larger row group of Parquet is cut anew
# A piece is read, answered and written in runs: so much of it is in memory at once.
RUN_ROWS, RUN_BYTES = 10_000, 1 << 22
# Of each column, while a Parquet file is read: without, all of a row group is held in its packed form.
READ_AHEAD = 1 << 18

SHORT = 8  # a rest of a text is short where it is less than this part of a piece


class Cut(msgspec.Struct, frozen=True):
    """One piece: from ``start`` up to ``stop``, in bytes of text, groups of Parquet, batches of Arrow."""

    start: int
    stop: int


def cuts(file: IO[bytes], layout: Layout, *, rows: int, size: int) -> Iterator[Cut]:
    """Yield the pieces in order: of a text about ``size`` bytes each, of other files about ``rows`` rows.

    Raises UnreadableFile.
    """
    if layout.form == PARQUET:
        metadata = parquet.read_metadata(file)
        counts = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        yield from _gathered(counts, rows)
    elif layout.form == ARROW:
        reader = ipc.open_file(file)
        each = reader.get_batch(0).num_rows if reader.num_record_batches else 0  # the last has fewer
        yield from _gathered([each] * reader.num_record_batches, rows)
    else:
        yield from _text_cuts(file, layout, size)


def _text_cuts(file: IO[bytes], layout: Layout, size: int) -> Iterator[Cut]:
    """Yield runs of whole records; a short rest at the end belongs to the run before it."""
    start = layout.start
    held: Cut | None = None
    for piece in slices_of(file, start=start, delimiter=layout.delimiter, size=size):
        stop = start + len(piece)
        if held is not None and len(piece) < size // SHORT:
            held = Cut(held.start, stop)
        elif piece.strip():
            if held is not None:
                yield held
            held = Cut(start, stop)
        start = stop
    if held is not None:
        yield held


def must_be_cut_anew(file: IO[bytes], layout: Layout, *, rows: int) -> bool:
    """Tell whether the file's own pieces are too large to be held in memory, or to be shared out."""
    if layout.form != PARQUET:
        return False
    metadata = parquet.read_metadata(file)
    groups = range(metadata.num_row_groups)
    return any(metadata.row_group(group).num_rows > LARGEST_GROUP * rows for group in groups)


def cut_anew(file: IO[bytes], names: list[str], target: Any, *, rows: int, pace: Callable[[], None]) -> int:
    """Write columns of a Parquet file as Arrow batches of ``rows`` rows; return how many rows there are."""
    source = parquet.ParquetFile(file, buffer_size=READ_AHEAD)
    schema = pa.schema([source.schema_arrow.field(name) for name in names])

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in source.iter_batches(rows, columns=names):
            yield batch
            pace()

    return write_batches(batches(), schema, target, rows=rows)


def write_batches(batches: Iterable[pa.RecordBatch], schema: pa.Schema, target: Any, *, rows: int) -> int:
    """Write the batches as an Arrow file whose batches have ``rows`` rows each but for the last."""
    held, count = pa.table({name: [] for name in schema.names}, schema=schema), 0
    with ipc.new_file(pa.PythonFile(target, "w"), schema) as writer:
        for batch in batches:
            held = pa.concat_tables([held, pa.Table.from_batches([batch.select(schema.names)])])
            count += batch.num_rows
            while held.num_rows >= rows:
                writer.write_table(held.slice(0, rows).combine_chunks(), max_chunksize=rows)
                held = held.slice(rows)
        if held.num_rows:
            writer.write_table(held.combine_chunks(), max_chunksize=rows)
    return count


def _gathered(counts: list[int], rows: int) -> Iterator[Cut]:
    """Yield runs of groups with about so many rows each."""
    start, held = 0, 0
    for place, count in enumerate(counts):
        if held and held + count > rows:
            yield Cut(start, place)
            start, held = place, 0
        held += count
    if held:
        yield Cut(start, len(counts))
