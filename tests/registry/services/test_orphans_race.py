"""Sweeping while others store, on a database that really commits."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pandas as pd
import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.tenants import create_tenant
from registry.errors import StorageUnavailable
from registry.models import Dataset
from registry.services.orphans import missing_files, sweep_files
from tests.factories import make_dataset, table

pytestmark = pytest.mark.django_db(transaction=True)
TABLES = 6


def small(rows: int) -> pd.DataFrame:
    return table()[["mean_radius", "diagnosis"]].head(rows)


def storing(tenant: Tenant, done: Event) -> int:
    """Freeze one table after the other, each once more where its file was swept; return how often."""
    again = 0
    try:
        with tenant_scope(tenant):
            for rows in range(10, 10 + TABLES):
                while True:
                    try:
                        make_dataset(frame=small(rows))
                        break
                    except StorageUnavailable:
                        again += 1
    finally:
        done.set()
        connection.close()
    return again


def sweeping(tenant: Tenant, done: Event) -> int:
    """Sweep whatever has no row yet, as long as the other works: the age protects nothing."""
    swept = 0
    try:
        with tenant_scope(tenant):
            while not done.wait(0.02):  # else the other would never get to its row
                ahead = timezone.now() + timedelta(hours=1)
                swept += len(sweep_files(now=ahead, by=SYSTEM, left_for=timedelta()).deleted)
    finally:
        connection.close()
    return swept


def test_no_row_ever_names_a_file_that_a_sweep_took() -> None:
    tenant = create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)
    done = Event()
    with ThreadPoolExecutor(2) as threads:
        stored, swept = threads.submit(storing, tenant, done), threads.submit(sweeping, tenant, done)
        assert stored.result(timeout=120) <= swept.result(timeout=120)
    with tenant_scope(tenant):
        assert Dataset.objects.count() == TABLES
        assert missing_files() == []
        assert all(default_storage.exists(path) for path in Dataset.objects.values_list("file", flat=True))


def test_two_sweeps_at_once_delete_each_file_once() -> None:
    tenant = create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)
    with tenant_scope(tenant):
        kept = make_dataset()
        left = [make_dataset(frame=small(rows)) for rows in (20, 30)]
        Dataset.objects.filter(pk__in=[one.pk for one in left]).delete()

    def sweep() -> list[str]:
        try:
            with tenant_scope(tenant):
                ahead = timezone.now() + timedelta(hours=1)
                return sweep_files(now=ahead, by=SYSTEM, left_for=timedelta()).deleted
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        results = [threads.submit(sweep) for _ in range(2)]
        deleted = [path for result in results for path in result.result(timeout=60)]
    assert sorted(deleted) == sorted(one.file for one in left)
    assert default_storage.exists(kept.file)
