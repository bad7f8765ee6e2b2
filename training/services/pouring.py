"""Reading all rows of a source into a file that is cut into pieces, in bounded memory."""

import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Any

import pandas as pd
import pyarrow as pa
from django.conf import settings as options
from pyarrow import ipc

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.sealed_texts import open_column
from training.batching.cutting import write_batches
from training.models import DataSource
from training.services.snapshots import told_troubles
from training.services.sources import checked_settings
from training.sources.budget import Budget
from training.sources.gathering import Gathering, common_kind
from training.sources.kinds import get_kind


class Spool(Gathering):
    """Keeps the batches in a file, each by itself: what type a column has is known when all have come."""

    def __init__(self, budget: Budget, file: IO[bytes], *, weigh: bool = True) -> None:
        super().__init__(budget, weigh=weigh)
        self._file = file
        self._starts: list[int] = []
        self._kinds: dict[str, set[pa.DataType]] = {}

    def _keep(self, table: pa.Table) -> None:
        self._starts.append(self._file.tell())
        for field in table.schema:
            self._kinds.setdefault(field.name, set()).add(field.type)
        with ipc.new_stream(self._file, table.schema) as writer:
            writer.write_table(table)

    def keep_frame(self, frame: pd.DataFrame) -> None:
        """Take rows that were counted where they were read."""
        self._keep(pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None))

    @property
    def schema(self) -> pa.Schema:
        """The columns, with types that hold all values."""
        kinds = {name: common_kind(found - {pa.null()}) for name, found in self._kinds.items()}
        return pa.schema([pa.field(name, kind) for name, kind in kinds.items()])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches with the same columns and types."""
        schema = self.schema
        for start in self._starts:
            self._file.seek(start)
            with ipc.open_stream(self._file) as reader:
                table = reader.read_all()
            columns = [
                table.column(field.name).cast(field.type, safe=False)
                if field.name in table.column_names
                else pa.nulls(table.num_rows, field.type)
                for field in schema
            ]
            yield from pa.table(columns, schema=schema).to_batches()


def pour_source(*, source: DataSource, target: Any, rows: int, by: Actor, check: Callable[[], None]) -> int:
    """Ask the source for all rows and write them as Arrow batches of ``rows`` rows; return how many came.

    ``check`` is called on the way and raises to stop. Raises what ``take_snapshot`` raises.
    """
    budget = Budget(
        rows=options.SOURCE_MAX_ROWS,
        bytes=options.SOURCE_MAX_BYTES,
        seconds=options.SOURCE_MAX_SECONDS,
        quote=not source.personal,
        check=check,
    )
    with tempfile.TemporaryFile(prefix="source-") as file:
        spool = Spool(budget, file)
        _fill(source, budget, spool, by)
        count = write_batches(spool.batches(), spool.schema, target, rows=rows)
    with tenant_transaction():
        record(by=by, action="source.read", target=source, rows=count)
    return count


def _fill(source: DataSource, budget: Budget, spool: Spool, by: Actor) -> None:
    how = get_kind(source.kind)
    settings = checked_settings(how, source.settings, by=by)
    secret = open_column(source, "credential")
    with told_troubles(how, secret, by, source):
        if how.pour is not None:
            how.pour(settings, secret, budget, spool)
        elif how.parts is not None:
            with how.parts(settings, secret, budget, source.model) as parts:
                for part in parts:
                    spool.keep_frame(part)
        else:
            frame: pd.DataFrame = how.fetch(settings, secret, budget, source.model)
            spool.keep_frame(frame)
