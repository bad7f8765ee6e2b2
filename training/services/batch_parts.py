"""Writing what a piece's answers are, and joining all of them: each row once, in the input's order."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import IO, Any

import pyarrow as pa
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from mlplatform.csv_cells import safe_cell
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.usage import give_back, take_room
from registry.inference.schema import RowError
from registry.services.prediction_log import insert_rows
from registry.storage import demand_stored
from training.batching.cutting import Cut
from training.batching.reading import read_runs
from training.batching.writing import join_pieces, write_piece
from training.errors import BadRows, FileTooLarge
from training.models import BatchJob, BatchPart, JobState, OnBadRow
from training.models.batch import PartKind, PartState, storage_of
from training.services.batch_answering import Answering, Piece, open_input
from training.services.batch_claims import Pace, PartClaim, hold, locked_job
from training.services.batch_files import Stored, drop_files, open_kept, stored
from training.services.claims import ClaimLost

SHOWN = 5
ERROR_COLUMNS = ("row", "column", "code", "message")


def answer_part(job: BatchJob, part: BatchPart, claim: PartClaim, pace: Pace) -> None:
    """Answer one piece and keep the result: file, counts and log together, or nothing.

    Raises ClaimLost, BadRows where a row does not fit and the job is to fail then, UnreadableFile,
    CannotPredict, NoRoom and StorageUnavailable.
    """
    answering, piece = Answering(job, pace), Piece()
    with stored() as answers:
        write_piece(_demanded(answering, part, piece), job.form, answers, first=part.number == 1)
    errors = _kept_errors(piece.errors)
    try:
        _commit(job, claim, piece, answers, errors)
    except ClaimLost:
        drop_files([answers.path, errors])
        raise


def _demanded(answering: Answering, part: BatchPart, piece: Piece) -> Iterator[pa.Table]:
    """Yield the answers, where all rows must fit up to the first run in which one does not."""
    for run in answering.answers(part, piece):
        if piece.errors and answering.job.on_bad_row == OnBadRow.FAIL:
            raise _bad_rows(answering, part, piece.errors)
        yield run


def _kept_errors(errors: list[RowError]) -> str:
    if not errors:
        return ""
    with stored() as target:
        for error in errors:
            target.write(json.dumps(error).encode() + b"\n")
    return target.path


def _commit(job: BatchJob, claim: PartClaim, piece: Piece, answers: Stored, errors: str) -> None:
    with tenant_transaction():
        held = locked_job(claim)
        rows = piece.rows
        if held.rows + rows > settings.BATCH_MAX_ROWS:
            raise FileTooLarge(
                f"The input has more than {settings.BATCH_MAX_ROWS:,} rows. Split it, or ask the platform's "
                "operator (ML_BATCH_MAX_ROWS).",
                code="too_many_rows",
            )
        if piece.log:
            insert_rows(piece.log)
        hold(
            claim,
            state=PartState.DONE,
            claim_token=None,
            finished_at=timezone.now(),
            rows=rows,
            bad_rows=piece.bad_rows,
            file=answers.path,
            file_hash=answers.sha256,
            errors_file=errors,
        )
        BatchJob.objects.filter(pk=job.pk).update(
            rows=F("rows") + rows, bad_rows=F("bad_rows") + piece.bad_rows
        )
        pieces = BatchPart.objects.filter(job=job, kind=PartKind.ANSWERS)
        if not pieces.exclude(state=PartState.DONE).exists():
            BatchPart.objects.create(job=job, kind=PartKind.JOINING, number=pieces.count() + 1)


def join_parts(job: BatchJob, claim: PartClaim, pace: Pace) -> None:
    """Write the file of answers, and of errors, and end the job; raises ClaimLost, NoRoom."""
    with stored() as answers:
        join_pieces(_opened(job, "file", pace), job.form, answers)
    errors = _joined_errors(job, pace)
    try:
        files = _finish(job, claim, answers, errors)
    except ClaimLost:
        drop_files([answers.path, errors.path if errors else ""])
        raise
    drop_files(files)


def _opened(job: BatchJob, column: str, pace: Pace) -> Iterator[IO[bytes]]:
    for part in _pieces(job):
        pace()
        if path := getattr(part, column):
            yield open_kept(path)


def _pieces(job: BatchJob) -> Any:
    return BatchPart.objects.filter(job=job, kind=PartKind.ANSWERS).order_by("number")


def _joined_errors(job: BatchJob, pace: Pace) -> Stored | None:
    """Return the CSV file that says of each bad row why, rows counted from 1 over the whole input."""
    if not _pieces(job).exclude(errors_file="").exists():
        return None
    before = 0
    with stored() as target:
        target.write(_csv_line(ERROR_COLUMNS))
        for part in _pieces(job):
            pace()
            if part.errors_file:
                with open_kept(part.errors_file) as file:
                    for line in file:
                        error = json.loads(line)
                        cells = (error["field"] or "", error["code"], error["message"])
                        target.write(_csv_line((before + error["row"] + 1, *map(safe_cell, cells))))
            before += part.rows
    return target


def _csv_line(cells: Any) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue().encode()


def _finish(job: BatchJob, claim: PartClaim, answers: Stored, errors: Stored | None) -> list[str]:
    """Name the files in the job's row and end it; return the paths that it needs no more."""
    now = timezone.now()
    with tenant_transaction():
        held = locked_job(claim)
        files = storage_of(held)
        size = answers.size + (errors.size if errors else 0)
        give_back(storage_bytes=held.stored_bytes)
        take_room(storage_bytes=size)
        demand_stored(answers.path)
        hold(claim, state=PartState.DONE, claim_token=None, finished_at=now)
        BatchPart.objects.filter(job=job).update(file="", errors_file="")
        BatchJob.objects.filter(pk=job.pk).update(
            state=JobState.SUCCEEDED,
            finished_at=now,
            expires_at=now + timedelta(days=settings.BATCH_KEEP_DAYS),
            input_file="",
            output_file=answers.path,
            output_hash=answers.sha256,
            output_bytes=answers.size,
            errors_file=errors.path if errors else "",
            stored_bytes=size,
        )
        record(
            by=SYSTEM,
            action="batch.succeeded",
            target=job,
            before={"state": JobState.RUNNING},
            after={"state": JobState.SUCCEEDED, "output_hash": answers.sha256},
            rows=held.rows,
            bad_rows=held.bad_rows,
        )
    return files


def _bad_rows(answering: Answering, part: BatchPart, errors: list[RowError]) -> BadRows:
    before = _rows_before(answering, part)
    fields = [{**error, "row": before + error["row"] + 1} for error in errors[:100]]
    told = "; ".join(
        f"row {one['row']:,}{', ' + str(one['field']) if one['field'] else ''}: {one['message']}"
        for one in fields[:SHOWN]
    )
    return BadRows(
        f"Rows do not fit {answering.version}: {told} Correct them, or let bad rows be skipped.",
        fields=fields,
    )


def _rows_before(answering: Answering, part: BatchPart) -> int:
    """Return how many rows stand before the piece; those not answered yet are counted in the file."""
    rows = 0
    first = answering.layout.names[:1]
    for one in _pieces(answering.job).filter(number__lt=part.number):
        if one.state == PartState.DONE:
            rows += one.rows
            continue
        with open_input(answering.job) as file:
            rows += sum(map(len, read_runs(file, answering.layout, Cut(**one.cut), [], first)))
        answering.pace()
    return rows
