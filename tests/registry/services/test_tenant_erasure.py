"""A tenant is erased: nothing of it is left but a receipt, and nothing of any other tenant is missing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.core.files.storage import default_storage
from django.db import Error, connection, models
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from mlplatform.errors import Conflict, InvalidInput, NotAllowed
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import DataKey, Erasure, Membership, Tenant, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.audit_chain import verify_chain
from mlplatform.tenancy.services.tenants import add_member, create_tenant
from mlplatform.tenancy.walls import tenant_models
from registry.services.tenant_erasure import erase_tenant, survey
from tests.console import Furnished
from tests.factories import make_dataset
from tests.plugins.application_role import as_owner, whole_database
from training.models import JobState, TrainingJob
from training.tasks import run_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored(tenant: Tenant) -> Tenant:
    """The clinic with a file and a key."""
    with tenant_scope(tenant), tenant_transaction():
        make_dataset()
    return tenant


@pytest.fixture
def theirs(other_tenant: Tenant) -> Iterator[dict[str, int]]:
    """What the other tenant has; it must have the same afterwards."""
    with tenant_scope(other_tenant), tenant_transaction():
        make_dataset()
        add_member(email="shared@example.com", role="viewer", by=SYSTEM)
    before = rows_of(other_tenant)
    yield before
    assert rows_of(other_tenant) == before
    with tenant_scope(other_tenant):
        assert verify_chain().broken is None


def rows_of(tenant: Tenant) -> dict[str, int]:
    with whole_database():
        counts = {
            model: models.QuerySet(model).filter(tenant_id=tenant.pk).count() for model in tenant_models()
        }
    return {model._meta.label: count for model, count in counts.items() if count}


def erased(tenant: Tenant) -> Erasure:
    with as_owner():
        return erase_tenant(tenant=tenant, confirmed=tenant.slug, by=SYSTEM)


def files_of(number: int) -> list[Path]:
    return [path for path in Path(default_storage.path("")).glob(f"*/{number}/**/*") if path.is_file()]


def test_nothing_is_left_but_the_receipt(furnished: Furnished, theirs: dict[str, int]) -> None:
    tenant = furnished.tenant
    number, held = tenant.pk, files_of(tenant.pk)
    with tenant_scope(tenant):
        anchor = verify_chain()
    assert held
    receipt = erased(tenant)
    gone = Tenant(pk=number)
    assert rows_of(gone) == {}
    assert files_of(number) == []
    assert not Tenant.objects.filter(pk=number).exists()
    assert (receipt.slug, receipt.tenant_number, receipt.erased_by) == ("clinic", number, "system platform")
    assert receipt.rows["registry.prediction"] == 42
    assert receipt.files == len(held)
    last = int(receipt.audit_anchor.partition(":")[0])
    assert last == anchor.events + 1  # the tenant was switched off first


def test_the_schedulers_private_rows_go_along(furnished: Furnished) -> None:
    before = PeriodicTask.objects.exclude(name__contains="retraining schedule").count()
    assert PeriodicTask.objects.filter(name__contains="retraining schedule").count() == 1
    times = CrontabSchedule.objects.count()
    erased(furnished.tenant)
    assert PeriodicTask.objects.count() == before
    assert CrontabSchedule.objects.count() == times - 1


def test_accounts_of_this_tenant_alone_go_and_all_others_stay(
    furnished: Furnished, other_tenant: Tenant, theirs: dict[str, int]
) -> None:
    root = User.objects.create_superuser("root@example.com", "a-Long-pass-9")
    AccessAttempt.objects.create(username="someone@clinic.example", failures_since_start=1)
    with tenant_scope(furnished.tenant), tenant_transaction():
        add_member(email="shared@example.com", role="viewer", by=SYSTEM)
        Membership.objects.create(user=root)
    receipt = erased(furnished.tenant)
    assert receipt.accounts == 1
    assert set(User.objects.values_list("email", flat=True)) == {"root@example.com", "shared@example.com"}
    assert not AccessAttempt.objects.exists()


def test_its_keys_are_gone_so_no_copy_of_a_file_can_be_read(stored: Tenant) -> None:
    with tenant_scope(stored):
        keys = set(DataKey.objects.values_list("pk", flat=True))
    assert keys
    erased(stored)
    with whole_database():
        assert not models.QuerySet(DataKey).filter(pk__in=keys).exists()


def test_a_survey_tells_and_deletes_nothing(furnished: Furnished) -> None:
    before = rows_of(furnished.tenant)
    found = survey(furnished.tenant)
    assert found.rows["registry.prediction"] == 42
    assert found.files == 2
    assert found.accounts == ["someone@clinic.example"]
    assert rows_of(furnished.tenant) == before


def test_the_name_must_be_repeated(tenant: Tenant) -> None:
    for confirmed in ("", "winery", "Clinic", "clinic "):
        with as_owner(), pytest.raises(InvalidInput, match="Repeat its short name"):
            erase_tenant(tenant=tenant, confirmed=confirmed, by=SYSTEM)
    assert Tenant.objects.filter(slug="clinic", is_active=True).exists()


def test_a_tenant_with_running_work_is_not_erased(furnished: Furnished) -> None:
    with tenant_scope(furnished.tenant):
        TrainingJob.objects.update(state=JobState.RUNNING)
    with pytest.raises(Conflict, match="1 training jobs of clinic are running"):
        erased(furnished.tenant)
    furnished.tenant.refresh_from_db()
    assert furnished.tenant.is_active
    assert files_of(furnished.tenant.pk)


def test_a_message_of_an_erased_tenant_does_nothing(stored: Tenant) -> None:
    number = stored.pk
    erased(stored)
    assert run_job(1, tenant_id=number) is None


def test_the_short_name_can_be_used_again_with_nothing_of_before(tenant: Tenant) -> None:
    erased(tenant)
    again = create_tenant(slug="clinic", name="Another clinic", by=SYSTEM)
    with tenant_scope(again):
        assert verify_chain().events == 1
        assert verify_chain().broken is None


@pytest.mark.needs_postgres
def test_the_application_may_not_erase(stored: Tenant) -> None:
    with pytest.raises(NotAllowed, match="mlplatform_owner"):
        erase_tenant(tenant=stored, confirmed="clinic", by=SYSTEM)
    assert files_of(stored.pk)


@pytest.mark.needs_postgres
def test_only_the_owner_and_only_for_the_named_tenant_may_delete_the_trail(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    def attempt(table: str, setting: str) -> Any:
        with tenant_scope(tenant), tenant_transaction(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.erased_tenant', %s, true)", [setting])
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608  # names of our own

    for table in ("tenancy_auditevent", "tenancy_audithead"):
        with pytest.raises(Error):
            attempt(table, str(tenant.pk))
        with as_owner(), pytest.raises(Error, match=r"never changed|only grows"):
            attempt(table, str(other_tenant.pk))
