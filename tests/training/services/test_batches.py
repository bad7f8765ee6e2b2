"""A file in, a file of answers out: each row once, in the input's order."""

import hashlib
import io
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from pytest_django import Settings

from mlplatform.errors import PlatformError, TooMany
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.errors import NoRoom
from mlplatform.tenancy.models import AuditEvent, Usage
from mlplatform.tenancy.services.audit_export import Export
from registry.inference.schema import rows_frame
from registry.models import ModelVersion, Prediction
from registry.privacy.pseudonyms import is_pseudonym
from registry.services.personal import mark_model
from registry.services.plans import plan_for
from registry.services.promotion import promote
from registry.storage import read_bytes
from tests.factories import make_champion, make_version, rows_of
from tests.training.batches import (
    Write,
    answers_of,
    as_csv,
    as_jsonl,
    as_parquet,
    batch_of,
    rows,
    worked_off,
)
from training.errors import BatchEnded, BatchFilesGone, BatchNotReady, InvalidBatch, UnreadableFile
from training.models import BatchPart, JobState
from training.models.batch import PartState
from training.services import batch_work
from training.services.batch_options import Options
from training.services.batch_sweeping import sweep_batches
from training.services.batch_turns import claim_own_part
from training.services.batches import cancel_batch, create_batch, fetch_answers, fetch_errors, find_batch

pytestmark = pytest.mark.usefixtures("in_tenant", "small_pieces")


@pytest.fixture
def small_pieces(settings: Settings) -> None:
    """Cut the inputs into several pieces."""
    settings.BATCH_BYTES, settings.BATCH_ROWS = 20_000, 40


@pytest.fixture
def champion(in_tenant: object) -> ModelVersion:
    return make_champion()


def expected(version: ModelVersion, frame: pd.DataFrame) -> list[str]:
    """Return what the model's own pipeline answers to the rows."""
    plan = plan_for(version)
    sent: list[dict[str, Any]] = frame.drop(columns="patient").to_dict("records")  # type: ignore[assignment]  # names are text
    return list(plan.predict(rows_frame(sent, plan.columns)).values)


@pytest.mark.parametrize("write", [as_csv, as_parquet, as_jsonl])
@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
def test_every_row_is_answered_once_and_in_its_place(champion: ModelVersion, write: Write, form: str) -> None:
    frame = rows()
    job = worked_off(batch_of(champion, write(frame), form=form, key="patient"))
    assert (job.state, job.error) == (JobState.SUCCEEDED, "")
    assert job.parts.count() > 4
    answers = answers_of(job)
    assert list(answers["patient"]) == list(frame["patient"])
    assert list(answers["prediction"]) == expected(champion, frame)
    assert (answers["p_benign"] + answers["p_malignant"]).round(9).eq(1).all()
    assert job.rows == len(frame)
    assert hashlib.sha256(read_bytes(job.output_file)).hexdigest() == job.output_hash


@pytest.mark.parametrize("write", [as_csv, as_parquet, as_jsonl])
def test_a_piece_may_be_answered_in_runs(
    champion: ModelVersion, write: Write, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BATCH_BYTES, settings.BATCH_ROWS = 1_000_000, 100_000
    frame = rows().astype({"mean_radius": float})
    frame.loc[[3, 120], "mean_radius"] = None

    def answered() -> tuple[pd.DataFrame, pd.DataFrame]:
        job = worked_off(batch_of(champion, write(frame), key="patient", on_bad_row="skip", log=True))
        assert (job.error, job.rows, job.bad_rows, job.parts.count()) == ("", 200, 2, 3)
        return answers_of(job), pd.read_csv(_file(fetch_errors(job=job, by=SYSTEM)))

    whole, told = answered()
    monkeypatch.setattr("training.batching.reading.RUN_BYTES", 5_000)
    monkeypatch.setattr("training.batching.reading.RUN_ROWS", 30)
    pd.testing.assert_frame_equal(answered()[0], whole)
    pd.testing.assert_frame_equal(answered()[1], told)
    assert list(told["row"]) == [4, 121]
    assert Prediction.objects.count() == 3 * 198


def test_only_the_answers_are_left_when_it_is_done(champion: ModelVersion) -> None:
    before = Usage.objects.get().storage_bytes
    job = worked_off(batch_of(champion, as_csv(rows())))
    assert not job.input_file
    assert not BatchPart.objects.exclude(file="").exists()
    _, files = default_storage.listdir(job.output_file.rpartition("/")[0])
    assert len(files) == 1
    assert Usage.objects.get().storage_bytes == before + job.output_bytes


def test_the_version_is_the_one_that_answered_at_the_start(champion: ModelVersion) -> None:
    job = batch_of(champion, as_csv(rows()))
    other = make_version(champion.model, dataset=champion.dataset)
    promote(model=champion.model, version=other, by=SYSTEM, reason="newer", override=True)
    job = worked_off(job)
    assert (job.version, job.asked) == (champion, "alias champion")
    assert batch_of(champion, as_csv(rows(5))).version == other
    assert batch_of(champion, as_csv(rows(5)), number=1).version == champion


def test_a_dataset_is_answered_without_being_copied(champion: ModelVersion) -> None:
    asked = create_batch(model=champion.model, dataset=champion.dataset, options=Options(), by=SYSTEM)
    job = worked_off(asked)
    assert job.state == JobState.SUCCEEDED
    assert list(answers_of(job)["prediction"]) == expected_of_dataset(champion)


def expected_of_dataset(version: ModelVersion) -> list[str]:
    plan = plan_for(version)
    return list(plan.predict(rows_frame(rows_of(version, 1_000), plan.columns)).values)


def test_bad_rows_end_the_batch_or_are_told_in_a_file(champion: ModelVersion) -> None:
    frame = rows().astype({"mean_radius": object})
    frame.loc[3, "mean_radius"] = "large"
    frame.loc[120, "mean_radius"] = None
    failed = worked_off(batch_of(champion, as_csv(frame)))
    assert (failed.state, failed.error_code) == (JobState.FAILED, "bad_rows")
    assert "row 4, mean_radius" in failed.error or "row 121, mean_radius" in failed.error
    job = worked_off(batch_of(champion, as_csv(frame), key="patient", on_bad_row="skip"))
    assert (job.state, job.rows, job.bad_rows) == (JobState.SUCCEEDED, 200, 2)
    answers = answers_of(job)
    assert list(answers["patient"]) == list(frame["patient"])
    assert list(answers.index[answers["prediction"].isna()]) == [3, 120]
    errors = pd.read_csv(_file(fetch_errors(job=job, by=SYSTEM)), keep_default_na=False)
    assert list(errors["row"]) == [4, 121]
    assert list(errors["code"]) == ["wrong_type", "null"]


def _file(export: Export[bytes]) -> io.BytesIO:
    return io.BytesIO(b"".join(export.lines))


def test_a_line_with_too_few_cells_keeps_its_place(champion: ModelVersion) -> None:
    lines = as_csv(rows(100)).splitlines()
    lines[10] = b"1,2,3"
    job = worked_off(batch_of(champion, b"\n".join(lines), key="patient", on_bad_row="skip"))
    answers = answers_of(job)
    assert (job.rows, job.bad_rows) == (100, 1)
    assert list(answers.index[answers["prediction"].isna()]) == [9]
    assert answers["patient"][10] == "p-10"


def test_reasons_intervals_and_kept_columns_stand_beside_the_answers(champion: ModelVersion) -> None:
    content = as_csv(rows(30))
    job = worked_off(batch_of(champion, content, keep=["mean_radius"], reasons=2, coverage=0.9))
    assert job.error == ""
    answers = answers_of(job)
    names = ["mean_radius", "prediction", "p_benign", "p_malignant", "possible"]
    reasons = ["reason_1", "reason_1_effect", "reason_2", "reason_2_effect"]
    assert list(answers.columns) == [*names, *reasons]
    assert (answers["reason_1_effect"].abs() >= answers["reason_2_effect"].abs()).all()
    again = worked_off(batch_of(champion, content, keep=["mean_radius"], reasons=2, coverage=0.9))
    assert again.output_hash == job.output_hash


def test_answers_are_logged_where_asked_and_not_otherwise(champion: ModelVersion) -> None:
    worked_off(batch_of(champion, as_csv(rows())))
    assert not Prediction.objects.exists()
    job = worked_off(batch_of(champion, as_csv(rows()), key="patient", log=True))
    assert Prediction.objects.count() == job.rows
    logged = Prediction.objects.first()
    assert logged is not None
    assert is_pseudonym(logged.entity_key)
    assert logged.request_id == f"batch-{job.pk}"


def test_cells_are_safe_in_a_spreadsheet(champion: ModelVersion) -> None:
    frame = rows(4).assign(patient=['=HYPERLINK("http://x")', "-5", "@sum", "plain"])
    job = worked_off(batch_of(champion, as_csv(frame), key="patient", probabilities=False))
    told = list(answers_of(job)["patient"])
    assert told == ['\'=HYPERLINK("http://x")', "-5", "'@sum", "plain"]


def test_personal_columns_come_out_as_they_are_marked(champion: ModelVersion) -> None:
    changes = {"mean_radius": "drop", "mean_texture": "pseudonymise"}
    mark_model(model=champion.model, changes=changes, by=SYSTEM)
    champion.refresh_from_db()
    job = worked_off(batch_of(champion, as_csv(rows(30)), keep_all=True))
    answers = answers_of(job)
    assert "mean_radius" not in answers
    assert answers["mean_texture"].map(is_pseudonym).all()


def test_a_cancelled_batch_leaves_nothing_and_its_worker_writes_nothing(champion: ModelVersion) -> None:
    job = batch_of(champion, as_csv(rows()))
    for _ in range(2):
        claim = claim_own_part()
        assert claim is not None
        batch_work.work(claim=claim)
    late = claim_own_part()
    assert late is not None
    cancel_batch(job=job, by=SYSTEM)
    batch_work.work(claim=late)
    job = find_batch(job.pk)
    assert (job.state, job.input_file, job.output_file) == (JobState.CANCELLED, "", "")
    assert claim_own_part() is None
    assert not BatchPart.objects.exclude(file="").exists()
    assert not BatchPart.objects.filter(state=PartState.RUNNING).exists()
    with pytest.raises(BatchEnded):
        cancel_batch(job=job, by=SYSTEM)
    with pytest.raises(BatchNotReady):
        fetch_answers(job=job, by=SYSTEM)


def test_files_are_deleted_when_their_time_is_over(champion: ModelVersion, settings: Settings) -> None:
    settings.BATCH_KEEP_DAYS = 3
    job = worked_off(batch_of(champion, as_csv(rows())))
    sweep_batches(timezone.now() + timedelta(days=2, hours=23))
    assert default_storage.exists(job.output_file)
    sweep_batches(timezone.now() + timedelta(days=3, seconds=5))
    assert not default_storage.exists(job.output_file)
    with pytest.raises(BatchFilesGone):
        fetch_answers(job=find_batch(job.pk), by=SYSTEM)
    assert AuditEvent.objects.filter(action="batch.files_deleted").count() == 1


@pytest.mark.parametrize(
    ("content", "asked", "error"),
    [
        (b"a,b\n1,2\n", {}, UnreadableFile),
        (b"", {}, UnreadableFile),
        (b"PK\x03\x04zip", {}, UnreadableFile),
        (as_csv(rows(5)), {"keep": ["nowhere"]}, UnreadableFile),
        (as_csv(rows(5)), {"form": "xls"}, InvalidBatch),
        (as_csv(rows(5)), {"on_bad_row": "ignore"}, InvalidBatch),
        (as_csv(rows(5)), {"number": 9}, PlatformError),
        (as_csv(rows(5)), {"alias": "nobody"}, PlatformError),
    ],
)
def test_what_cannot_be_answered_is_refused_at_once(
    champion: ModelVersion, content: bytes, asked: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        batch_of(champion, content, **asked)


def test_limits_hold(champion: ModelVersion, settings: Settings) -> None:
    settings.LIMITS = {**settings.LIMITS, "active_jobs": 1}
    batch_of(champion, as_csv(rows(5)))
    with pytest.raises(TooMany):
        batch_of(champion, as_csv(rows(5)))
    settings.LIMITS = {**settings.LIMITS, "active_jobs": 5, "storage_bytes": 100_000}
    with pytest.raises(NoRoom):
        batch_of(champion, as_csv(rows(500)))
    settings.LIMITS = {**settings.LIMITS, "storage_bytes": 10**9}
    settings.BATCH_MAX_ROWS = 100
    job = worked_off(batch_of(champion, as_csv(rows())))
    assert job.error_code == "too_many_rows"


def test_an_input_without_rows_is_told_of(champion: ModelVersion) -> None:
    job = worked_off(batch_of(champion, as_csv(rows(0))))
    assert (job.state, job.error_code) == (JobState.FAILED, "no_rows")
