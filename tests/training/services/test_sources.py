"""Sources: written down, changed, asked, forgotten."""

from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from mlplatform.errors import PlatformError
from mlplatform.outbound.errors import AddressRefused
from mlplatform.sealing.errors import SealBroken
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.services.sealed_texts import open_column
from registry.frames import dataset_frame
from registry.services.personal import dataset_marks
from tests.console import furnish
from tests.training.sources.places import ROWS, sqlite_file
from tests.training.sources.tls_servers import authority
from tests.web import Said, web_server
from training.errors import InvalidSource, SourceDown, SourceExists, SourceInUse, SourceRefused
from training.models import DataSource
from training.services.schedules import create_schedule
from training.services.snapshots import preview_source, take_snapshot, try_source
from training.services.sources import create_source, delete_source, update_source

pytestmark = pytest.mark.usefixtures("in_tenant")
SECRET = "a-secret-nobody-may-see"
PLACE = {"url": "https://rows.example.com/", "auth": "bearer"}


@pytest.fixture
def file(settings: Settings, tmp_path: Path) -> dict[str, Any]:
    """Settings that lead to a SQLite file."""
    settings.SOURCE_FILES = str(tmp_path)
    return {
        "engine": "sqlite",
        "database": sqlite_file(tmp_path / "rows.db").name,
        "query": "select id, clinic, size, kind from biopsies order by id",
    }


def made(settings: dict[str, Any], kind: str = "sql", **more: Any) -> DataSource:
    return create_source(name="Biopsies", kind=kind, settings=settings, by=SYSTEM, **more)


def test_a_credential_is_sealed_for_its_row_and_told_nowhere() -> None:
    source = made(PLACE, "rest", secret=SECRET)
    source.refresh_from_db()
    assert SECRET not in source.credential
    assert open_column(source, "credential") == SECRET
    told = repr(list(AuditEvent.objects.values_list("before", "after", "details")))
    assert SECRET not in told
    assert source.credential not in told
    other = create_source(name="Other", kind="rest", settings=PLACE, by=SYSTEM)
    other.credential = source.credential
    with pytest.raises(SealBroken):
        open_column(other, "credential")


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://thief.example.com/", "auth": "bearer"},
        {"url": "https://rows.example.com:8443/", "auth": "bearer"},
        {"url": "https://rows.example.com/", "auth": "header", "auth_header": "X-Other"},
        {"url": "https://rows.example.com/", "auth": "query", "auth_param": "key"},
    ],
)
def test_a_credential_does_not_follow_to_another_place(change: dict[str, Any]) -> None:
    source = made(PLACE, "rest", secret=SECRET)
    with pytest.raises(InvalidSource, match="Enter its credential again"):
        update_source(source=source, changes={"settings": change}, by=SYSTEM)
    source = update_source(source=source, changes={"settings": change, "secret": "new"}, by=SYSTEM)
    assert open_column(source, "credential") == "new"


def test_a_password_is_not_kept_for_whoever_another_authority_vouches_for() -> None:
    place = {"engine": "postgresql", "host": "db.example.com", "database": "d", "query": "select 1 as a"}
    source = made({**place, "ca_certificate": authority().pem}, secret=SECRET)
    for change in ({"ca_certificate": authority("thief").pem}, {"ca_certificate": ""}):
        with pytest.raises(InvalidSource, match="Enter its credential again"):
            update_source(source=source, changes={"settings": {**place, **change}}, by=SYSTEM)


def test_what_leads_to_the_same_place_keeps_its_credential() -> None:
    source = made(PLACE, "rest", secret=SECRET)
    change = {"name": "Later", "settings": {**PLACE, "url": "https://rows.example.com/v2", "rows": "items"}}
    source = update_source(source=source, changes=change, by=SYSTEM)
    assert (source.name, open_column(source, "credential")) == ("Later", SECRET)


def test_a_name_is_taken_once(file: dict[str, Any]) -> None:
    made(file)
    with pytest.raises(SourceExists):
        made(file)


@pytest.mark.parametrize(
    ("kind", "given", "more"),
    [
        ("ftp", {}, {}),
        ("sql", {"engine": "oracle"}, {}),
        ("rest", {"url": "file:///etc/passwd"}, {}),
        ("rest", PLACE, {"personal": {"a": "hide"}}),
        ("predictions", {}, {}),
        ("rest", PLACE, {"secret": "x" * 6_000}),
    ],
)
def test_what_cannot_be_a_source_is_not_written_down(
    kind: str, given: dict[str, Any], more: dict[str, Any]
) -> None:
    with pytest.raises(PlatformError):
        made(given, kind, **more)
    assert not DataSource.objects.exists()


def test_a_preview_shows_the_first_rows_and_keeps_nothing(file: dict[str, Any]) -> None:
    found = try_source(
        kind="sql", settings=file, by=SYSTEM, personal={"clinic": "drop", "kind": "pseudonymise"}
    )
    types = [(one["name"], one["type"]) for one in found.columns]
    assert types[2] == ("size", "numeric")
    assert (len(found.rows), found.rows[0][1]) == (20, None)
    assert found.rows[0][3] not in {"benign", "malignant"}
    assert not DataSource.objects.exists()


def test_the_same_rows_are_frozen_once(file: dict[str, Any]) -> None:
    source = made(file, personal={"clinic": "pseudonymise"})
    first = take_snapshot(source=source, by=SYSTEM)
    assert (first.created, first.dataset.rows) == (True, ROWS)
    assert first.dataset.origin["source"] == source.pk
    assert set(dataset_marks(first.dataset)) == {"clinic"}
    assert list(dataset_frame(first.dataset).columns) == ["id", "clinic", "size", "kind"]
    again = take_snapshot(source=source, by=SYSTEM)
    assert (again.created, again.dataset) == (False, first.dataset)
    source.refresh_from_db()
    assert (source.last_snapshot, source.is_failing) == (first.dataset, False)


def test_a_failure_stands_in_the_sources_row(file: dict[str, Any], settings: Settings) -> None:
    source = made(file)
    take_snapshot(source=source, by=SYSTEM)
    Path(settings.SOURCE_FILES, "rows.db").unlink()
    with pytest.raises(InvalidSource):
        take_snapshot(source=source, by=SYSTEM)
    source.refresh_from_db()
    assert source.is_failing
    assert "no file" in source.last_failure
    assert AuditEvent.objects.filter(action="source.failed").exists()


def test_too_few_rows_are_no_snapshot(file: dict[str, Any]) -> None:
    source = made({**file, "query": "select * from biopsies limit 5"})
    with pytest.raises(SourceRefused, match="5 rows"):
        take_snapshot(source=source, by=SYSTEM)


def test_errors_about_personal_data_quote_nothing(settings: Settings) -> None:
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    with web_server(lambda _: Said(200, {}, b'[{"a": 1}, "canary"]')) as server:
        source = made({"url": server.url}, "rest", personal={"a": "drop"})
        with pytest.raises(SourceRefused) as told:
            take_snapshot(source=source, by=SYSTEM)
    assert "canary" not in told.value.detail


def test_a_refused_address_is_recorded() -> None:
    with pytest.raises(AddressRefused):
        try_source(kind="rest", settings={"url": "http://169.254.169.254/latest"}, by=SYSTEM)
    assert AuditEvent.objects.filter(action="source.refused").exists()


def test_predictions_with_outcomes_are_a_source(tenant: Tenant) -> None:
    model = furnish(tenant).model
    source = DataSource.objects.get(model=model)
    assert len(preview_source(source=source, by=SYSTEM).rows) == 20
    found = take_snapshot(source=source, by=SYSTEM)
    assert (found.dataset.rows, found.dataset.model) == (42, model)
    update_source(source=source, changes={"settings": {"training_data": True}}, by=SYSTEM)
    source.refresh_from_db()
    assert take_snapshot(source=source, by=SYSTEM).dataset.rows > 500


def test_a_source_in_use_is_not_deleted(tenant: Tenant) -> None:
    model = furnish(tenant).model
    source = DataSource.objects.get()
    take_snapshot(source=source, by=SYSTEM)
    source.refresh_from_db()
    schedule = create_schedule(model=model, name="x", by=SYSTEM, cron="0 3 * * *", source=source)
    with pytest.raises(SourceInUse, match="schedule x"):
        delete_source(source=source, by=SYSTEM)
    schedule.delete()
    delete_source(source=source, by=SYSTEM)
    assert not DataSource.objects.exists()


def test_a_source_that_does_not_answer_is_down(settings: Settings) -> None:
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    with web_server(lambda _: Said(500)) as server, pytest.raises(SourceDown):
        try_source(kind="rest", settings={"url": server.url}, by=SYSTEM)


def test_whoever_is_asked_whether_to_go_on_can_stop_the_reading(file: dict[str, Any]) -> None:
    class Stop(Exception):
        """Somebody cancelled."""

    def stop() -> None:
        raise Stop

    source = made(file)
    with pytest.raises(Stop):
        take_snapshot(source=source, by=SYSTEM, check=stop)
    source.refresh_from_db()
    assert (source.last_snapshot, source.last_failure) == (None, "")
