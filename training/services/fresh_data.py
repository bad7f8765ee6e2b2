"""The data of a job that names a source: fresh from there, or the last good one where the job says so."""

from collections.abc import Callable

from django.db import IntegrityError

from mlplatform.errors import PlatformError
from mlplatform.tenancy.actors import Actor, ActorKind
from mlplatform.tenancy.scope import tenant_transaction
from registry.models import Dataset
from training.errors import InvalidConfig, JobActive, NoSnapshot, TrainingFailed
from training.models import DataSource, OnSourceFailure, TrainingJob
from training.services.claims import ClaimLost, update
from training.services.configs import check_dataset
from training.services.reporting import JobReporter
from training.services.snapshots import take_snapshot


def chosen_dataset(
    dataset: Dataset | None, source: DataSource | None, on_source_failure: str = OnSourceFailure.FAIL
) -> Dataset:
    """Return what a job is checked with before it waits: the dataset, or the source's last snapshot.

    Raises InvalidConfig where both or none are named, NoSnapshot for a source that was never read.
    """
    check_source(source, on_source_failure)
    if (dataset is None) == (source is None):
        sentence = "Name either a dataset or a source, which is read anew when the job runs."
        raise InvalidConfig(sentence, fields={"dataset": [sentence], "source": [sentence]})
    if source is not None:
        return last_good(source)
    assert dataset is not None  # noqa: S101  # one of the two is named
    return dataset


def check_source(source: DataSource | None, on_source_failure: str) -> None:
    """Raise InvalidConfig for an unknown choice, NoSnapshot for a source that was never read."""
    if on_source_failure not in OnSourceFailure.values:
        choices = ", ".join(OnSourceFailure.values)
        raise InvalidConfig(
            f"{str(on_source_failure)[:40]!r} is no choice. Choose from {choices}.",
            fields={"on_source_failure": [f"Choose from {choices}."]},
        )
    if source is not None:
        last_good(source)


def last_good(source: DataSource) -> Dataset:
    """Return the source's last snapshot; raises NoSnapshot."""
    if source.last_snapshot is None:
        raise NoSnapshot(
            f"{source.name} was never read. Take a snapshot of it first, so that what it gives can be "
            "checked before a job waits for it.",
            fields={"source": ["Take a snapshot first."]},
        )
    return source.last_snapshot


def take_fresh_data(job: TrainingJob, reporter: JobReporter, check: Callable[[], None]) -> None:
    """Give the job a fresh snapshot of its source, if it names one, and check it.

    Where the source does not give one, the job fails, or goes on with the last good snapshot and says so: in
    its log and its ``source_note``. Raises what ``take_snapshot`` and ``check_dataset`` do, and JobActive.
    """
    source = job.source
    if source is None:
        return
    reporter.stage(f"Asking {source.name} for rows", 1)
    by = Actor(ActorKind.SYSTEM, f"training job {job.pk}", job.pk)
    try:
        found = take_snapshot(source=source, by=by, check=check)
    except TrainingFailed:  # the job's own time is over
        raise
    except PlatformError as error:
        _stay(job, source, error, reporter)
        return
    news = "new content" if found.created else "content that was frozen before"
    _use(job, found.dataset, "", reporter)
    reporter.log(f"Fresh snapshot of {source.name}: {found.dataset.rows:,} rows, {news}.")


def _stay(job: TrainingJob, source: DataSource, error: PlatformError, reporter: JobReporter) -> None:
    with tenant_transaction():
        source.refresh_from_db()
    if job.on_source_failure != OnSourceFailure.LAST_GOOD or source.last_snapshot is None:
        raise error
    taken = f"{source.last_snapshot_at:%d %B %Y %H:%M} UTC" if source.last_snapshot_at else "before"
    note = (
        f"{source.name} could not be read: {error.detail} Trained on its last good snapshot instead, "
        f"{source.last_snapshot}, taken {taken}."
    )
    _use(job, source.last_snapshot, note, reporter)
    reporter.log(note, "warning")


def _use(job: TrainingJob, dataset: Dataset, note: str, reporter: JobReporter) -> None:
    check_dataset(job.model, dataset, job.config)
    job.dataset, job.source_note = dataset, note
    try:
        with tenant_transaction():
            if not update(reporter.claim, dataset=dataset, source_note=note):
                raise ClaimLost
    except IntegrityError as error:
        raise JobActive(
            f"Another job trains {job.model.name} on the same rows already. Wait for it to end."
        ) from error
