"""Batches whose workers die, lose their claim, or share the work: a row is answered once all the same."""

import os
import signal
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.models import ModelVersion, Prediction
from tests.factories import make_champion
from tests.training.batches import answers_of, as_csv, batch_of, rows, worked_off
from tests.training.sources.places import ROWS, sqlite_file
from training.models import BatchJob, BatchPart, JobState
from training.models.batch import PartKind, PartState
from training.services import batch_work
from training.services.batch_answering import Answering, Piece
from training.services.batch_claims import Pace, claim_part
from training.services.batch_files import stored
from training.services.batch_options import Options
from training.services.batch_sweeping import sweep_batches
from training.services.batch_turns import claim_own_part
from training.services.batches import create_batch, find_batch
from training.services.closing import close_down, open_again
from training.services.pouring import pour_source
from training.services.sources import create_source


@pytest.fixture(autouse=True)
def small_pieces(settings: Settings) -> None:
    """Cut the inputs into several pieces."""
    settings.BATCH_BYTES, settings.BATCH_ROWS = 20_000, 40


@pytest.fixture
def champion(in_tenant: Tenant) -> ModelVersion:
    return make_champion()


def later(seconds: float) -> None:
    """Sweep as if so much time had passed."""
    sweep_batches(timezone.now() + timedelta(seconds=seconds))


@pytest.mark.django_db(transaction=True)
def test_a_killed_workers_piece_is_done_again_and_each_row_counts_once(tenant: Tenant) -> None:
    with tenant_scope(tenant):
        job = batch_of(make_champion(), as_csv(rows()), key="patient", log=True)
        first = claim_own_part()
        assert first is not None
        batch_work.work(claim=first)
        connections.close_all()
        child = os.fork()
        if child == 0:
            _answer_half_and_die(job.pk)
        _, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == signal.SIGKILL
        running = BatchPart.objects.filter(state=PartState.RUNNING)
        assert running.count() == 1
        job = worked_off(job)
        assert job.state == JobState.RUNNING  # all but the lost piece, which is still somebody's
        later(30)
        assert running.count() == 1
        later(61)
        job = worked_off(job)
        assert (job.state, job.rows) == (JobState.SUCCEEDED, 200)
        assert list(answers_of(job)["patient"]) == list(rows()["patient"])
        assert Prediction.objects.count() == 200
        assert max(job.parts.values_list("attempt", flat=True)) == 2


def _answer_half_and_die(job_id: int) -> None:
    """Claim a piece, write a file, and be gone before it is named: as a power cut would have it."""
    try:
        claim = claim_own_part()
        assert claim is not None
        with stored() as target:
            target.write(b"half a piece")
    finally:
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_wakes_too_late_changes_nothing(champion: ModelVersion) -> None:
    job = batch_of(champion, as_csv(rows()))
    reading = claim_own_part()
    assert reading is not None
    batch_work.work(claim=reading)
    late = claim_own_part()
    assert late is not None
    later(61)
    done = worked_off(job)
    batch_work.work(claim=late)
    assert find_batch(job.pk).output_hash == done.output_hash
    assert find_batch(job.pk).rows == 200


def test_a_part_that_takes_its_workers_along_ends_the_batch(champion: ModelVersion) -> None:
    job = batch_of(champion, as_csv(rows()))
    for _ in range(2):
        assert claim_own_part() is not None
        later(61)
    job = find_batch(job.pk)
    assert (job.state, job.error_code) == (JobState.FAILED, "worker_lost")
    assert not job.input_file


def test_of_two_messages_one_gets_the_part(champion: ModelVersion) -> None:
    job = batch_of(champion, as_csv(rows()))
    part = job.parts.get()
    assert claim_part(part_id=part.pk) is not None
    assert claim_part(part_id=part.pk) is None


def test_a_tenant_at_its_limit_waits(champion: ModelVersion, settings: Settings) -> None:
    settings.LIMITS = {**settings.LIMITS, "running_jobs": 1}
    batch_of(champion, as_csv(rows(5)))
    batch_of(champion, as_csv(rows(5)))
    assert claim_own_part() is not None
    assert claim_own_part() is None


def test_a_worker_that_is_stopped_hands_its_part_back(champion: ModelVersion) -> None:
    job = batch_of(champion, as_csv(rows()))
    taken = claim_own_part()
    assert taken is not None
    close_down()
    try:
        batch_work.work(claim=taken)
    finally:
        open_again()
    part = job.parts.get(kind=PartKind.READING)
    assert (part.state, part.attempt) == (PartState.WAITING, 0)
    assert worked_off(job).state == JobState.SUCCEEDED


def test_pieces_are_bounded_however_long_the_input_is(champion: ModelVersion) -> None:
    """What a worker holds is a piece: its rows follow from the settings, not from the file."""
    frame = rows(569)
    for content in (as_csv(frame), bytes(frame.to_parquet(index=False))):
        job = worked_off(batch_of(champion, content, form="parquet"))
        counts = job.parts.filter(kind=PartKind.ANSWERS).values_list("rows", flat=True)
        assert sum(counts) == 569
        assert max(counts) <= 100
        assert len(counts) >= 6


def test_a_query_is_answered_row_by_row(champion: ModelVersion, settings: Settings, tmp_path: Path) -> None:
    settings.SOURCE_FILES = str(tmp_path)
    names = [column["name"] for column in champion.features]
    inputs = ", ".join(f'size * 4 AS "{name}"' for name in names)
    query = f"select id, {inputs} from biopsies where id > :least order by id"  # noqa: S608  # the test's own
    asked = {
        "engine": "sqlite",
        "database": sqlite_file(tmp_path / "rows.db").name,
        "query": query,
        "params": {"least": 10},
    }
    source = create_source(name="Biopsies", kind="sql", settings=asked, by=SYSTEM)
    job = create_batch(model=champion.model, by=SYSTEM, options=Options(key="id"), source=source)
    job = worked_off(job)
    assert (job.error, job.state) == ("", JobState.SUCCEEDED)
    assert list(answers_of(job)["id"]) == list(range(11, ROWS + 1))
    assert job.parts.filter(kind=PartKind.ANSWERS).count() == 1


def test_a_source_that_fails_fails_the_batch_in_a_sentence(
    champion: ModelVersion, settings: Settings, tmp_path: Path
) -> None:
    settings.SOURCE_FILES = str(tmp_path)
    asked = {
        "engine": "sqlite",
        "database": sqlite_file(tmp_path / "rows.db").name,
        "query": "select nothing from biopsies",
    }
    source = create_source(name="Biopsies", kind="sql", settings=asked, by=SYSTEM)
    job = worked_off(create_batch(model=champion.model, by=SYSTEM, options=Options(), source=source))
    assert (job.state, job.error_code) == (JobState.FAILED, "source_refused")


def test_columns_of_mixed_kinds_get_one_type_when_all_rows_have_come(
    in_tenant: Tenant, settings: Settings, tmp_path: Path
) -> None:
    import pyarrow as pa

    settings.SOURCE_FILES = str(tmp_path)
    query = "select id, case when id > 30 then 0.5 else id end as number from biopsies"
    asked = {"engine": "sqlite", "database": sqlite_file(tmp_path / "rows.db").name, "query": query}
    source = create_source(name="Biopsies", kind="sql", settings=asked, by=SYSTEM)
    with (tmp_path / "poured").open("wb") as target:
        count = pour_source(source=source, target=target, rows=15, by=SYSTEM, check=lambda: None)
    with pa.ipc.open_file(tmp_path / "poured") as reader:
        assert (count, reader.num_record_batches) == (ROWS, 3)
        assert reader.schema.field("number").type == pa.float64()


def test_an_unexpected_error_is_a_bug_with_its_traceback(champion: ModelVersion, settings: Settings) -> None:
    job = batch_of(champion, as_csv(rows(20)))
    BatchJob.objects.filter(pk=job.pk).update(options={"reasons": "many"})
    taken = claim_own_part()
    assert taken is not None
    with pytest.raises(ValueError, match="reasons"):
        batch_work.work(claim=taken)
    job = find_batch(job.pk)
    assert job.state == JobState.ERRORED
    assert "Traceback" in job.traceback


def test_nothing_is_asked_twice_of_a_piece(champion: ModelVersion) -> None:
    """The answers of a piece do not depend on who makes it, or when."""
    job = batch_of(champion, as_csv(rows(60)), reasons=1)
    reading = claim_own_part()
    assert reading is not None
    batch_work.work(claim=reading)
    taken = claim_own_part()
    assert taken is not None
    job, part = find_batch(job.pk), BatchPart.objects.get(pk=taken.part_id)
    one, other = (list(Answering(job, Pace(taken)).answers(part, Piece())) for _ in range(2))
    assert pa.concat_tables(one).equals(pa.concat_tables(other))
