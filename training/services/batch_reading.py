"""The first part of a batch: reading what the input is, and cutting it into pieces."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import msgspec
from django.conf import settings
from django.utils import timezone
from pyarrow import parquet

from mlplatform.tenancy.actors import Actor, ActorKind
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.usage import give_back, take_room
from registry.frames import dataset_file
from registry.inference.engines import Engine
from training.batching.cutting import RUN_ROWS, Cut, cut_anew, cuts, must_be_cut_anew
from training.batching.layouts import PARQUET, Layout, layout_of
from training.errors import BatchFailed, FileTooLarge
from training.models import BatchJob, BatchPart
from training.models.batch import PartKind, PartState
from training.services.batch_answering import Answering
from training.services.batch_claims import Pace, PartClaim, hold, locked_job
from training.services.batch_files import drop_files, open_kept, stored
from training.services.batch_options import Options, check_names, wanted_columns
from training.services.claims import ClaimLost
from training.services.pouring import pour_source

MOST_PARTS = 20_000


@dataclass(frozen=True)
class Input:
    """Where the rows lie: ``path`` is a file of the job's own, empty for a dataset's."""

    path: str
    size: int
    layout: Layout
    pieces: list[Cut]


def read_input(job: BatchJob, claim: PartClaim, pace: Pace) -> None:
    """Bring the input into a file, cut it, and make a part of each piece.

    Raises ClaimLost, UnreadableFile, BatchFailed, FileTooLarge, NoRoom, and what reading a source raises.
    """
    found = _of_source(job, pace) if job.dataset is None and not job.input_file else _of_file(job, pace)
    before = job.input_file
    job.input_file, job.layout = found.path, msgspec.to_builtins(found.layout)
    engine = Answering(job, pace).engine_for(found.pieces[0])
    try:
        _keep(job, claim, found, engine)
    except ClaimLost:
        if found.path != before:
            drop_files([found.path])
        raise
    if found.path != before:
        drop_files([before])


def _of_source(job: BatchJob, pace: Pace) -> Input:
    if job.source is None:
        raise BatchFailed("The source was deleted. Start the batch with another one.", code="source_gone")
    by = Actor(ActorKind.SYSTEM, f"batch job {job.pk}", job.pk)
    with stored() as target:
        pour_source(source=job.source, target=target, rows=_run_rows(), by=by, check=pace)
    with open_kept(target.path) as file:
        return _cut(job, file, target.path, target.size, pace)


def _of_file(job: BatchJob, pace: Pace) -> Input:
    with _opened(job) as file:
        layout = layout_of(file, own=True)
        if layout.form == PARQUET:
            _refuse_long(parquet.read_metadata(file).num_rows)
        if not must_be_cut_anew(file, layout, rows=settings.BATCH_ROWS):
            return _cut(job, file, job.input_file, job.input_bytes, pace)
        options = msgspec.convert(job.options, Options)
        check_names(options, job.version, layout.names)
        wanted = [column.name for column in wanted_columns(job.version)]
        names = list(dict.fromkeys([*wanted, *options.kept(layout.names)]))
        names.sort(key=layout.names.index)
        with stored() as target:
            cut_anew(file, names, target, rows=_run_rows(), pace=pace)
    with open_kept(target.path) as anew:
        return _cut(job, anew, target.path, target.size, pace)


@contextmanager
def _opened(job: BatchJob) -> Iterator[IO[bytes]]:
    """Open the input; of a dataset the whole file is compared with its hash, once for all pieces."""
    if job.input_file or job.dataset is None:
        with open_kept(job.input_file) as file:
            yield file
    else:
        with dataset_file(job.dataset) as file:
            yield file


def _cut(job: BatchJob, file: IO[bytes], path: str, size: int, pace: Pace) -> Input:
    layout = layout_of(file, own=True)
    check_names(msgspec.convert(job.options, Options), job.version, layout.names)
    pieces = []
    for cut in cuts(file, layout, rows=settings.BATCH_ROWS, size=settings.BATCH_BYTES):
        pieces.append(cut)
        pace()
    if not pieces:
        raise BatchFailed("The input has no rows. Give one with a row at least.", code="no_rows")
    if len(pieces) > MOST_PARTS:
        raise FileTooLarge("The input is too large for one batch. Split it.")
    return Input(path, size, layout, pieces)


def _run_rows() -> int:
    """Return how many rows a batch of Arrow has: a piece is of whole ones."""
    return min(RUN_ROWS, settings.BATCH_ROWS)


def _refuse_long(rows: int) -> None:
    if rows > settings.BATCH_MAX_ROWS:
        raise FileTooLarge(
            f"The input has {rows:,} rows; a batch takes at most {settings.BATCH_MAX_ROWS:,}. Split it, or "
            "ask the platform's operator (ML_BATCH_MAX_ROWS).",
            code="too_many_rows",
        )


def _keep(job: BatchJob, claim: PartClaim, found: Input, engine: Engine) -> None:
    with tenant_transaction():
        held = locked_job(claim)
        give_back(storage_bytes=held.stored_bytes)
        take_room(storage_bytes=found.size)
        BatchJob.objects.filter(pk=job.pk).update(
            input_file=found.path,
            input_bytes=found.size,
            stored_bytes=found.size,
            layout=msgspec.to_builtins(found.layout),
            engine=engine,
        )
        parts = [
            BatchPart(job=job, kind=PartKind.ANSWERS, number=number, cut=msgspec.to_builtins(cut))
            for number, cut in enumerate(found.pieces, 1)
        ]
        BatchPart.objects.bulk_create(parts, batch_size=500)
        hold(claim, state=PartState.DONE, claim_token=None, finished_at=timezone.now())
