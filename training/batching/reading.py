"""Reading one piece of a file of rows, typed by what the model wants."""

from collections.abc import Iterable, Iterator, Sequence
from typing import IO

import numpy as np
import pyarrow as pa
from pyarrow import ipc, parquet

from registry.inference.files import frame_rows
from registry.tabular.schema import Column
from training.batching.cutting import READ_AHEAD, RUN_BYTES, RUN_ROWS, Cut
from training.batching.json_rows import read_json_rows
from training.batching.layouts import ARROW, JSON_LINES, PARQUET, Layout
from training.batching.taken import Taken
from training.batching.text_rows import read_text_rows
from training.errors import UnreadableFile
from training.sources.records import slices_of


def read_runs(
    file: IO[bytes], layout: Layout, cut: Cut, columns: Sequence[Column], carried: Iterable[str]
) -> Iterator[Taken]:
    """Yield the rows of one piece: the model's ``columns``, and those that are only ``carried`` along.

    They come in runs of some megabytes, whatever the size of the piece. Raises UnreadableFile where the piece
    cannot be read at all; a row that cannot is told in the result.
    """
    wanted = list(dict.fromkeys([*(column.name for column in columns), *carried]))
    if layout.form in {PARQUET, ARROW}:
        for batch in _batches(file, layout, cut, wanted):
            yield _from_table(pa.Table.from_batches([batch]).select(wanted), columns)
        return
    for data in slices_of(file, start=cut.start, stop=cut.stop, delimiter=layout.delimiter, size=RUN_BYTES):
        if data.isspace():
            continue
        if layout.form == JSON_LINES:
            yield read_json_rows(data, columns, wanted)
        else:
            yield read_text_rows(data, layout, columns, wanted)


def _batches(file: IO[bytes], layout: Layout, cut: Cut, wanted: list[str]) -> Iterator[pa.RecordBatch]:
    places = range(cut.start, cut.stop)
    try:
        if layout.form == PARQUET:
            source = parquet.ParquetFile(file, buffer_size=READ_AHEAD)
            yield from source.iter_batches(
                RUN_ROWS, row_groups=list(places), columns=wanted, use_threads=False
            )
        else:
            reader = ipc.open_file(file)
            yield from (reader.get_batch(place) for place in places)
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(f"The file is damaged: {error}. Write it again.") from error


def _from_table(table: pa.Table, columns: Sequence[Column]) -> Taken:
    plain = table.cast(pa.schema([pa.field(one.name, _plain(one.type)) for one in table.schema]), safe=False)
    names = [column.name for column in columns]

    def exact(places: Sequence[int]) -> list[dict[str, object]]:
        some = plain.select(names).take(pa.array(places, pa.int64()))
        return frame_rows(some.to_pandas(date_as_object=False), columns)

    return Taken(plain.combine_chunks(), exact, np.zeros(table.num_rows, dtype=bool))


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_decimal(kind):
        return pa.float64()
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_time(kind):
        return pa.string()
    return kind
