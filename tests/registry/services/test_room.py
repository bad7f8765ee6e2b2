"""Room for rows and bytes: taken with what is stored, given back with what is not, never overdrawn."""

import io
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.errors import NoRoom
from mlplatform.tenancy.models import AuditEvent, Tenant, Usage
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.tenants import create_tenant
from mlplatform.tenancy.services.usage import give_back, measured, recount, require_room, take_room
from registry.models import Dataset, ModelVersion, Prediction
from registry.services.batch import predict_frame
from registry.services.serving import predict
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_champion, make_dataset, make_version, rows_of, table
from tests.registry.services.test_race import together
from training.services.datasets import import_file

ROWS = 569
IMPORT = "/admin/registry/dataset/add/"


def _stored() -> tuple[int, int]:
    usage = Usage.objects.get()
    return usage.stored_rows, usage.storage_bytes


def _limit(tenant: Tenant, **limits: int) -> None:
    for name, value in limits.items():
        setattr(tenant, name, value)
    tenant.save()


def _csv(tail: str = "") -> SimpleUploadedFile:
    return SimpleUploadedFile("biopsies.csv", (table().to_csv(index=False) + tail).encode())


@pytest.mark.usefixtures("in_tenant")
class TestWhatTakesRoom:
    """Every way to store something."""

    def test_a_dataset_takes_its_rows_and_bytes(self) -> None:
        dataset = make_dataset()
        assert _stored() == (ROWS, dataset.size_bytes)

    def test_the_same_content_takes_room_once(self) -> None:
        dataset = make_dataset()
        make_dataset()
        assert _stored() == (ROWS, dataset.size_bytes)

    def test_a_version_takes_the_bytes_of_its_model(self) -> None:
        version = make_version()
        assert _stored() == (ROWS, version.dataset.size_bytes + version.artifact_bytes)

    def test_each_logged_answer_is_a_row(self) -> None:
        champion = make_champion()
        predict(model=champion.model, rows=rows_of(champion, 7), by=SYSTEM)
        predict_frame(model=champion.model, frame=table().head(5), by=SYSTEM)
        assert _stored()[0] == ROWS + 12

    def test_what_is_rolled_back_takes_none(self) -> None:
        make_dataset()
        before = _stored()
        with transaction.atomic():
            take_room(stored_rows=5)
            transaction.set_rollback(True)
        assert _stored() == before


class TestNoRoom:
    """Refusals, and what they leave behind."""

    def test_the_last_row_fits_and_the_next_does_not(self, in_tenant: Tenant) -> None:
        champion = make_champion()
        _limit(in_tenant, stored_rows=ROWS + 2)
        predict(model=champion.model, rows=rows_of(champion, 2), by=SYSTEM)
        with pytest.raises(NoRoom, match=r"Stored rows: 571 of 571 are used, and this takes 1 more"):
            predict(model=champion.model, rows=rows_of(champion), by=SYSTEM)
        assert Prediction.objects.count() == 2
        assert _stored()[0] == ROWS + 2

    def test_a_refused_dataset_leaves_neither_row_nor_file(self, in_tenant: Tenant, tmp_path: object) -> None:
        _limit(in_tenant, storage_bytes=1000)
        with pytest.raises(NoRoom, match="Storage in bytes: 0 of 1,000"):
            make_dataset()
        assert not Dataset.objects.exists()
        assert not list((tmp_path / "files").rglob("*.parquet"))  # type: ignore[operator]  # a path

    def test_more_than_the_whole_limit_is_refused(self, in_tenant: Tenant) -> None:
        _limit(in_tenant, stored_rows=10)
        with pytest.raises(NoRoom):
            take_room(stored_rows=11)
        take_room(stored_rows=10)

    def test_one_full_stock_leaves_the_other_alone(self, in_tenant: Tenant) -> None:
        _limit(in_tenant, stored_rows=10, storage_bytes=10)
        take_room(stored_rows=10)
        take_room(storage_bytes=10)
        with pytest.raises(NoRoom, match="Stored rows"):
            take_room(stored_rows=1, storage_bytes=0)

    def test_a_full_tenant_is_told_before_its_file_is_read(self, in_tenant: Tenant) -> None:
        _limit(in_tenant, stored_rows=10)
        take_room(stored_rows=10)
        with pytest.raises(NoRoom):
            import_file(name="x", file=io.BytesIO(b"no table at all"), filename="x.csv", by=SYSTEM)

    def test_a_version_that_does_not_fit_is_not_registered(self, in_tenant: Tenant) -> None:
        version = make_version()
        _limit(in_tenant, storage_bytes=_stored()[1] + version.artifact_bytes - 1)
        with pytest.raises(NoRoom):
            make_version(version.model, dataset=version.dataset)
        assert ModelVersion.objects.count() == 1

    def test_tenants_have_room_of_their_own(self, in_tenant: Tenant, other_tenant: Tenant) -> None:
        _limit(in_tenant, stored_rows=ROWS)
        make_dataset()
        with tenant_scope(other_tenant), tenant_transaction():
            make_dataset()
            assert _stored()[0] == ROWS


class TestDoors:
    """The API and the console say it in their own way, and the trail keeps it."""

    def _reached(self, tenant: Tenant) -> list[tuple[str, str]]:
        with tenant_scope(tenant), tenant_transaction():
            events = AuditEvent.objects.filter(action="limit.reached")
            return [(event.actor_kind, event.object_label) for event in events]

    def test_the_api_answers_409_since_waiting_does_not_help(self, tenant: Tenant, api_for: ApiFor) -> None:
        _limit(tenant, stored_rows=ROWS - 1)
        client: APIClient = api_for(tenant)
        body = {"name": "biopsies", "file": _csv()}
        answer = client.post("/api/v1/datasets", body, format="multipart")
        assert (answer.status_code, answer.json()["code"]) == (409, "limit_reached")
        assert "Retry-After" not in answer
        assert self._reached(tenant) == [("api_key", "Stored rows")]

    def test_the_console_says_it_in_the_form(self, tenant: Tenant, console_for: ConsoleFor) -> None:
        _limit(tenant, stored_rows=ROWS - 1)
        page = console_for(tenant).post(IMPORT, {"name": "biopsies", "file": _csv()})
        assert "Stored rows: 0 of 568 are used, and this takes 569 more" in page.content.decode()
        assert self._reached(tenant) == [("user", "Stored rows")]

    def test_a_prediction_over_the_limit_is_answered_409(self, tenant: Tenant, api_for: ApiFor) -> None:
        with tenant_scope(tenant):
            champion = make_champion()
            [row] = rows_of(champion)
        _limit(tenant, stored_rows=ROWS)
        answer = api_for(tenant).post("/api/v1/models/cancer/predict", {"row": row})
        assert (answer.status_code, answer.json()["code"]) == (409, "limit_reached")
        assert self._reached(tenant) == [("api_key", "Stored rows")]


class TestGivingBackAndRecounting:
    """Deletion, drift, and tenants from before there were figures."""

    def test_what_is_given_back_can_be_taken_again(self, in_tenant: Tenant) -> None:
        _limit(in_tenant, stored_rows=10)
        take_room(stored_rows=10)
        give_back(stored_rows=4)
        take_room(stored_rows=4)
        with pytest.raises(NoRoom):
            take_room(stored_rows=1)

    def test_no_more_is_given_back_than_was_taken(self, in_tenant: Tenant) -> None:
        take_room(stored_rows=3)
        give_back(stored_rows=5)
        assert _stored() == (0, 0)

    def test_drift_is_found_and_mended_with_a_trail(self, in_tenant: Tenant) -> None:
        dataset = make_dataset()
        Usage.objects.update(stored_rows=9999)
        assert recount(by=SYSTEM) == {"storage_bytes": 0, "stored_rows": ROWS - 9999}
        assert _stored() == (ROWS, dataset.size_bytes)
        event = AuditEvent.objects.get(action="usage.mended")
        assert event.before == {"storage_bytes": dataset.size_bytes, "stored_rows": 9999}
        assert event.after == {"storage_bytes": dataset.size_bytes, "stored_rows": ROWS}

    def test_right_figures_need_no_entry(self, in_tenant: Tenant) -> None:
        make_dataset()
        assert recount(by=SYSTEM) == {"storage_bytes": 0, "stored_rows": 0}
        assert not AuditEvent.objects.filter(action="usage.mended").exists()

    def test_a_tenant_without_figures_is_counted_at_first_use(self, in_tenant: Tenant) -> None:
        dataset = make_dataset()
        Usage.objects.all().delete()
        take_room(stored_rows=1)
        assert _stored() == (ROWS + 1, dataset.size_bytes)
        assert measured("stored_rows") == ROWS

    def test_asking_for_room_takes_none(self, in_tenant: Tenant) -> None:
        _limit(in_tenant, stored_rows=1)
        require_room(stored_rows=1)
        assert not Usage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_uploads_at_once_only_those_pass_for_which_there_is_room() -> None:
    tenant = create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)
    _limit(tenant, stored_rows=2 * ROWS + 10)

    def freezing(place: int) -> Callable[[], object]:
        def run() -> object:
            with tenant_scope(tenant):
                return make_dataset(frame=table().assign(upload=place))

        return run

    results = together([freezing(place) for place in range(5)])
    assert sum(isinstance(result, Dataset) for result in results) == 2
    assert sum(isinstance(result, NoRoom) for result in results) == 3
    with tenant_scope(tenant):
        assert Dataset.objects.count() == 2
        assert Usage.objects.get().stored_rows == measured("stored_rows") == 2 * ROWS
