"""The registry's background work."""

from django.conf import settings
from django.core.files.storage import default_storage

from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.tasks import sweep_files
from tests.registry.services.test_orphans import left_behind


def test_every_active_tenant_is_swept_on_schedule(tenant: Tenant, other_tenant: Tenant) -> None:
    paths = []
    for one in (tenant, other_tenant):
        with tenant_scope(one):
            paths.append(left_behind())
    assert sweep_files() == 2
    assert not any(map(default_storage.exists, paths))
    assert sweep_files() == 0


def test_a_tenant_that_is_switched_off_is_left_as_it_is(tenant: Tenant) -> None:
    with tenant_scope(tenant):
        path = left_behind()
    Tenant.objects.filter(pk=tenant.pk).update(is_active=False)
    assert sweep_files() == 0
    assert default_storage.exists(path)


def test_the_schedule_names_the_task() -> None:
    assert sweep_files.name in {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
