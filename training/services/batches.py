"""Batch jobs as people see them: made, looked up, cancelled, their answers fetched."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import msgspec
from django.conf import settings
from django.utils import timezone

from mlplatform.sealing.errors import SealBroken
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import current_tenant, tenant_scope, tenant_transaction
from mlplatform.tenancy.services.attempts import record_attempt
from mlplatform.tenancy.services.audit import fields_of, record
from mlplatform.tenancy.services.audit_export import Export
from mlplatform.tenancy.services.usage import locked_usage, require_free, require_room, take_room
from registry.models import Dataset, ModelVersion, RegisteredModel
from registry.models.deployment import CHAMPION
from registry.services.plans import answering_version
from registry.services.versions import find_version
from registry.storage import demand_stored, open_file
from training.batching.layouts import layout_of
from training.batching.writing import MEDIA_TYPES, PIECE
from training.errors import (
    BatchEnded,
    BatchFilesGone,
    BatchNotFound,
    BatchNotReady,
    InvalidBatch,
    UnreadableFile,
)
from training.models import BatchJob, BatchPart, DataSource, FileForm, JobState, OnBadRow
from training.models.batch import PartKind
from training.services.batch_claims import end_batch
from training.services.batch_files import drop_files, stored
from training.services.batch_options import Options, check_names, check_options
from training.services.datasets import Source, refuse_large

ERRORS_TYPE = "text/csv"


def create_batch(
    *,
    model: RegisteredModel,
    by: Actor,
    options: Options,
    file: Source | None = None,
    filename: str = "",
    dataset: Dataset | None = None,
    source: DataSource | None = None,
    number: int | None = None,
    alias: str | None = None,
    form: str = FileForm.CSV,
    on_bad_row: str = OnBadRow.FAIL,
) -> BatchJob:
    """Queue answers for every row of the file, the dataset or what the source gives.

    The version is settled now: the champion, or the one with the ``number`` or ``alias``. Nothing is logged
    unless the options say so. Raises InvalidBatch, UnreadableFile, FileTooLarge, NoChampion and what else
    ``answering_version`` raises, NotExplainable, NoBounds, TooMany and NoRoom. Send it with
    ``tasks.submit_batch``.
    """
    _check_choices(form, on_bad_row, inputs=[file, dataset, source])
    version = find_version(model, answering_version(model, number, alias).number)
    check_options(options, version)
    job = BatchJob(
        model=model,
        version=version,
        asked=f"version {number}" if number is not None else f"alias {alias or CHAMPION}",
        dataset=dataset,
        source=source,
        input_name=_name(file, filename, dataset, source),
        form=form,
        on_bad_row=on_bad_row,
        options=msgspec.to_builtins(options),
        created_by=str(by)[:200],
    )
    if dataset is not None:
        check_names(options, version, [column["name"] for column in dataset.columns])
    _admit(job, file, options, by)
    return job


def _admit(job: BatchJob, file: Source | None, options: Options, by: Actor) -> None:
    """Store the file, where there is one, and queue the job; both or neither."""
    with tenant_transaction():
        locked_usage()
        require_free("active_jobs")  # before a large file is stored, and once more when the job is
    if file is not None:
        _keep_input(job, file, job.version, options, by)
    with ExitStack() as undo:
        undo.callback(drop_files, [job.input_file])
        with tenant_transaction():
            _queue(job, by)
        undo.pop_all()


def _check_choices(form: str, on_bad_row: str, inputs: Sequence[object]) -> None:
    if sum(one is not None for one in inputs) != 1:
        sentence = "Give one input: a file, a dataset or a source."
        raise InvalidBatch(sentence, fields={"file": [sentence]})
    for name, value, known in (
        ("format", form, FileForm.values),
        ("on_bad_row", on_bad_row, OnBadRow.values),
    ):
        if value not in known:
            hint = f"Choose {' or '.join(known)}."
            raise InvalidBatch(f"{value!r} is no {name}. {hint}", fields={name: [hint]})


def _name(file: Source | None, filename: str, dataset: Dataset | None, source: DataSource | None) -> str:
    return Path(filename).name[:200] if file is not None else str(dataset or source)[:200]


def _keep_input(job: BatchJob, file: Source, version: ModelVersion, options: Options, by: Actor) -> None:
    """Look at the file's head, and store it sealed."""
    with ExitStack() as opened:
        plain = _opened(file, opened)
        size = plain.seek(0, os.SEEK_END)
        refuse_large(size, settings.MAX_UPLOAD_BYTES)
        require_room(storage_bytes=size)
        try:
            layout = layout_of(plain)
            check_names(options, version, layout.names)
        except UnreadableFile as error:
            told = {"filename": job.input_name, "bytes": size, "reason": error.detail}
            record_attempt(by=by, action="batch.refused", target=BatchJob, details=told)
            raise
        plain.seek(0)
        with stored() as target:
            while piece := plain.read(PIECE):
                target.write(piece)
    job.input_file, job.input_bytes, job.stored_bytes = target.path, size, size
    job.layout = msgspec.to_builtins(layout)


def _opened(file: Source, opened: ExitStack) -> IO[bytes]:
    if not isinstance(file, Path):
        return file
    if not file.is_file():
        raise UnreadableFile(f"There is no file {str(file)!r}. Check the path.")
    return opened.enter_context(file.open("rb"))


def _queue(job: BatchJob, by: Actor) -> None:
    locked_usage()
    require_free("active_jobs")
    take_room(storage_bytes=job.stored_bytes)
    if job.input_file:
        demand_stored(job.input_file)
    job.clean()
    job.save(force_insert=True)
    BatchPart.objects.create(job=job, kind=PartKind.READING, number=0)
    record(by=by, action="batch.created", target=job, after=fields_of(job, "created_at"))


def find_batch(pk: int, model: RegisteredModel | None = None) -> BatchJob:
    """Return the job, of the ``model`` where one is named; raises BatchNotFound."""
    jobs = BatchJob.objects.select_related("model", "version", "dataset", "source").filter(pk=pk)
    job = (jobs if model is None else jobs.filter(model=model)).first()
    if job is None:
        raise BatchNotFound(f"There is no batch job {pk}{'' if model is None else f' of {model.name}'}.")
    return job


def cancel_batch(*, job: BatchJob, by: Actor) -> BatchJob:
    """End a job that waits or runs; its workers stop within seconds, and nothing of it is kept.

    Raises BatchEnded.
    """
    if not end_batch(job_id=job.pk, state=JobState.CANCELLED, by=by):
        job.refresh_from_db()
        raise BatchEnded(f"{job} has ended ({job.get_state_display().lower()}): nothing to cancel.")
    job.refresh_from_db()
    return job


def fetch_answers(*, job: BatchJob, by: Actor) -> Export[bytes]:
    """Return the file of answers, read as it is sent, and record who took it.

    Raises BatchNotReady, or BatchFilesGone where it was deleted.
    """
    _demand_success(job)
    name = f"{job.model.name}-batch-{job.pk}.{job.form}"
    return _export(job, job.output_file, name, MEDIA_TYPES[job.form], by)


def fetch_errors(*, job: BatchJob, by: Actor) -> Export[bytes]:
    """Return the file that says which rows did not fit and why; raises as ``fetch_answers`` does."""
    _demand_success(job)
    return _export(job, job.errors_file, f"{job.model.name}-batch-{job.pk}-errors.csv", ERRORS_TYPE, by)


def _demand_success(job: BatchJob) -> None:
    if job.state != JobState.SUCCEEDED:
        what = "waits for its end" if job.is_active else f"{job.get_state_display().lower()}"
        raise BatchNotReady(f"{job} {what}: there are no answers to fetch. {job.error}".strip())


def _export(job: BatchJob, path: str, name: str, media_type: str, by: Actor) -> Export[bytes]:
    if not path:
        over = job.expires_at is not None and job.expires_at <= timezone.now()
        why = "It was deleted when its time was over; start the batch again." if over else "There is none."
        raise BatchFilesGone(f"{job} has no such file. {why}")
    try:
        open_file(path).close()  # now, while the answer can still say so
    except (FileNotFoundError, SealBroken) as error:
        raise BatchFilesGone(f"The file of {job} cannot be opened. Start the batch again.") from error
    with tenant_transaction():
        record(by=by, action="batch.downloaded", target=job, file=name)
    return Export(name, media_type, _pieces(path, current_tenant()), binary=True)


def _pieces(path: str, tenant: Tenant) -> Iterator[bytes]:
    with tenant_scope(tenant):  # read when the request has ended
        file = open_file(path)
    with file:
        while piece := file.read(PIECE):
            yield piece


def told(job: BatchJob) -> dict[str, Any]:
    """Return the job as commands print it."""
    return {
        "batch": job.pk,
        "model": job.model.name,
        "version": job.version.number,
        "state": job.state,
        "progress": job.progress,
        "input": job.input_name,
        "format": job.form,
        "rows": job.rows,
        "bad_rows": job.bad_rows,
        "error": job.error,
        "created": job.created_at,
        "deleted after": job.expires_at,
    }
