"""Jobs and schedules that name a source in place of a dataset."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from mlplatform.tenancy.actors import SYSTEM
from registry.models import RegisteredModel
from tests.factories import make_dataset, make_model, table
from tests.training.conftest import QUICK
from tests.training.services.test_execution import run
from tests.web import Asked, Said, WebServer, web_server
from training.errors import InvalidConfig, NoSnapshot
from training.models import DataSource, JobState, TrainingJob
from training.services.jobs import create_job
from training.services.schedules import create_schedule, fire, update_schedule
from training.services.snapshots import take_snapshot
from training.services.sources import create_source

pytestmark = pytest.mark.usefixtures("in_tenant")


class Registry:
    """A web service that gives the first rows of a table, as many as there are by now."""

    def __init__(self) -> None:
        self.rows, self.up = 200, True
        self._table = table()[["mean_radius", "mean_texture", "diagnosis"]]

    def answer(self, asked: Asked) -> Said:
        """Give the rows, or an error while it is down."""
        if not self.up:
            return Said(404)
        return Said(body=self._table.head(self.rows).to_json(orient="records").encode())


@pytest.fixture
def registry() -> Registry:
    """What the service knows."""
    return Registry()


@pytest.fixture
def server(registry: Registry, settings: Settings) -> Iterator[WebServer]:
    """The running service."""
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    with web_server(registry.answer) as served:
        yield served


@pytest.fixture
def source(server: WebServer) -> DataSource:
    """A source that was read once."""
    made = create_source(name="Registry", kind="rest", settings={"url": server.url}, by=SYSTEM)
    take_snapshot(source=made, by=SYSTEM)
    made.refresh_from_db()
    return made


@pytest.fixture
def model() -> RegisteredModel:
    """The model that learns."""
    return make_model()


def job(model: RegisteredModel, source: DataSource, **more: Any) -> TrainingJob:
    return create_job(model=model, source=source, by=SYSTEM, config=QUICK, **more)


def log_of(done: TrainingJob) -> str:
    return "\n".join(done.log.values_list("message", flat=True))


def test_a_job_learns_from_what_the_source_gives_when_it_runs(
    model: RegisteredModel, source: DataSource, registry: Registry
) -> None:
    waiting = job(model, source)
    assert waiting.dataset.rows == 200
    registry.rows = 300
    done = run(waiting)
    assert (done.state, done.dataset.rows, done.source_note) == (JobState.SUCCEEDED, 300, "")
    assert done.version is not None
    assert done.version.dataset == done.dataset
    assert "Fresh snapshot of Registry: 300 rows, new content" in log_of(done)


def test_a_job_fails_where_its_source_is_down(
    model: RegisteredModel, source: DataSource, registry: Registry
) -> None:
    waiting = job(model, source)
    registry.up = False
    done = run(waiting)
    assert (done.state, done.error_code, done.version) == (JobState.FAILED, "http_404", None)


def test_a_job_may_use_the_last_good_snapshot_and_says_so(
    model: RegisteredModel, source: DataSource, registry: Registry
) -> None:
    waiting = job(model, source, on_source_failure="last_good")
    registry.up = False
    done = run(waiting)
    assert (done.state, done.dataset) == (JobState.SUCCEEDED, source.last_snapshot)
    assert "could not be read" in done.source_note
    assert "last good snapshot" in done.source_note
    assert done.source_note in log_of(done)


def test_a_source_whose_rows_no_longer_teach_the_model_fails_the_job(
    source: DataSource, server: WebServer
) -> None:
    waiting = job(make_model(), source, on_source_failure="last_good")
    server.answer = lambda _: Said(
        body=table()[["mean_radius", "mean_area"]].to_json(orient="records").encode()
    )
    done = run(waiting)
    assert (done.state, done.error_code) == (JobState.FAILED, "unusable_data")


def test_a_job_names_a_dataset_or_a_source_that_was_read(model: RegisteredModel, source: DataSource) -> None:
    with pytest.raises(InvalidConfig, match="either a dataset or a source"):
        create_job(model=model, by=SYSTEM)
    with pytest.raises(InvalidConfig, match="either a dataset or a source"):
        create_job(model=model, dataset=make_dataset(), source=source, by=SYSTEM)
    with pytest.raises(InvalidConfig, match="no choice"):
        job(model, source, on_source_failure="hope")
    fresh = create_source(name="Never read", kind="rest", settings=source.settings, by=SYSTEM)
    with pytest.raises(NoSnapshot, match="Take a snapshot"):
        job(model, fresh)


def test_a_schedule_retrains_on_its_source(model: RegisteredModel, source: DataSource) -> None:
    schedule = create_schedule(
        model=model, name="nightly", by=SYSTEM, cron="0 3 * * *", source=source, on_source_failure="last_good"
    )
    made = fire(schedule_id=schedule.pk, now=timezone.now())
    assert made is not None
    assert (made.source, made.on_source_failure, made.trigger) == (source, "last_good", "schedule")
    schedule = update_schedule(schedule=schedule, changes={"source": None}, by=SYSTEM)
    assert schedule.source is None
