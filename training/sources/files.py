"""Reading tables from files that anybody may have made: CSV, Parquet, JSON Lines, Excel."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from training.errors import UnreadableFile
from training.sources.content import is_parquet, refuse_foreign
from training.sources.delimited import read_csv
from training.sources.jsonlines import is_json_lines, read_json_lines
from training.sources.parquet import read_parquet
from training.sources.pieces import Pieces
from training.sources.workbook import is_workbook, workbook_as_csv

MIN_ROWS = 20


def read_table(
    source: Path | str | IO[bytes], filename: str = "", *, quote: bool = True, sheet: str = ""
) -> pd.DataFrame:
    """Read a file of a table as one frame; what ``open_table`` takes and raises."""
    with open_table(source, filename, quote=quote, sheet=sheet) as parts:
        frames = list(parts)
    return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)


@contextmanager
def open_table(
    source: Path | str | IO[bytes], filename: str = "", *, quote: bool = True, sheet: str = ""
) -> Iterator[Iterator[pd.DataFrame]]:
    """Give the table's rows in parts of bounded size, all with the same columns and dtypes.

    The format is told by content; ``filename`` only appears in messages. ``sheet`` names a workbook's sheet,
    the first where left out. Raises UnreadableFile with what is wrong, where, and what to do, at the
    beginning or while the parts are read; without ``quote`` no message repeats what stands in the file.
    """
    with ExitStack() as kept:
        path = kept.enter_context(_on_disk(source))
        yield _checked(_pieces(path, quote, sheet, kept), filename)


def _pieces(path: Path, quote: bool, sheet: str, kept: ExitStack) -> Pieces:
    with path.open("rb") as file:
        head = file.read(4096)
    if head and is_parquet(path):
        return read_parquet(path)
    if is_workbook(path):
        return read_csv(workbook_as_csv(path, sheet=sheet, kept=kept), quote=quote, kept=kept)
    refuse_foreign(head)
    read = read_json_lines if is_json_lines(head) else read_csv
    return read(path, quote=quote, kept=kept)


@contextmanager
def _on_disk(source: Path | str | IO[bytes]) -> Iterator[Path]:
    if isinstance(source, Path | str):
        path = Path(source)
        if not path.is_file():
            raise UnreadableFile(f"There is no file {str(source)!r}. Check the path.")
        yield path
        return
    if (named := _named(source)) is not None:
        yield named
        return
    with tempfile.NamedTemporaryFile(prefix="upload-") as copy:
        source.seek(0)
        shutil.copyfileobj(source, copy, 1 << 20)
        copy.flush()
        yield Path(copy.name)


def _named(source: IO[bytes]) -> Path | None:
    """Return where an upload lies on disk already: a large one need not be copied there again."""
    place = getattr(source, "temporary_file_path", None)
    if place is None:
        return None
    source.flush()
    return Path(place())


def _checked(pieces: Pieces, filename: str) -> Iterator[pd.DataFrame]:
    """Yield the parts as frames; raises UnreadableFile for a table from which nothing can be learnt."""
    called = f"{filename[:100]!r}" if filename else "The file"
    rows, repeated = 0, None
    for table in pieces.tables():
        if table.num_columns < 2:
            raise UnreadableFile(
                f"{called} has one column only. Send at least one input and the column to predict."
            )
        found = _names_among_values(table)
        repeated = found if repeated is None else repeated | found
        frame = _frame(table)
        _refuse_infinite(frame, rows)
        rows += len(frame)
        yield frame
    if repeated is not None and repeated.all() and rows:
        raise UnreadableFile(
            "The first line looks like data: each of its cells occurs again below it. Add a header line."
        )
    if rows < MIN_ROWS:
        raise UnreadableFile(
            f"{called} has {rows} rows of data; at least {MIN_ROWS} are needed. Collect more rows."
        )


def _names_among_values(table: pa.Table) -> "np.typing.NDArray[np.bool_]":
    """Tell for each column whether its name is one of its values, as where the first row is data."""
    texts = [pa.types.is_string(kind) or pa.types.is_large_string(kind) for kind in table.schema.types]
    if not all(texts):  # a header never looks like a number or a date
        return np.zeros(len(texts), dtype=bool)
    columns = zip(table.column_names, table.columns, strict=True)
    return np.array([pc.any(pc.equal(column, name)).as_py() is True for name, column in columns])


def _frame(table: pa.Table) -> pd.DataFrame:
    """Return plain pandas types: numbers, booleans, timestamps, else text."""
    try:
        frame: pd.DataFrame = table.to_pandas(
            date_as_object=False, ignore_metadata=True, strings_to_categorical=False
        )
    except (pa.ArrowException, ValueError) as error:  # a time zone that nobody knows, for one
        raise UnreadableFile(
            f"A column cannot be read: {error}. Write it as plain text or UTC times."
        ) from error
    for field in table.schema:
        if pa.types.is_boolean(field.type):
            frame[field.name] = frame[field.name].astype("boolean")
        elif pa.types.is_dictionary(field.type) or pa.types.is_time(field.type):
            frame[field.name] = frame[field.name].astype("str")
        elif pa.types.is_decimal(field.type):
            frame[field.name] = frame[field.name].astype(float)
    return frame


def _refuse_infinite(frame: pd.DataFrame, rows: int) -> None:
    for name in frame.columns:
        if not pd.api.types.is_float_dtype(frame[name].dtype):
            continue
        infinite = np.flatnonzero(np.isinf(frame[name].to_numpy(dtype=float, na_value=np.nan)))
        if len(infinite):
            raise UnreadableFile(
                f"Column {name!r} holds an infinite number in data row {rows + infinite[0] + 1}. "
                "Leave the cell empty where the value is unknown."
            )
