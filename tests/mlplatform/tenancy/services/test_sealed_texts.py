"""Credentials in columns: found by their type, sealed anew, and never taken along."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from mlplatform.sealing.texts import key_id_of
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, DataKey, KeyPurpose, Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.sealed_texts import (
    kept_credentials,
    open_column,
    reseal_columns,
    sealed_columns,
)
from registry.services.tenant_export import export_tenant
from training.models import DataSource
from training.services.sources import create_source

SECRET = "a-secret-nobody-may-see"


def source(name: str = "Registry", secret: str = SECRET) -> DataSource:
    place = {"url": "https://rows.example.com/", "auth": "bearer"}
    return create_source(name=name, kind="rest", settings=place, secret=secret, by=SYSTEM)


def keys() -> set[str]:
    return {key.pk.hex for key in DataKey.objects.filter(purpose=KeyPurpose.SECRETS)}


def test_columns_of_credentials_are_found_by_their_type() -> None:
    assert (DataSource, "credential") in set(sealed_columns())


def test_credentials_are_sealed_anew_and_their_old_key_goes(in_tenant: Tenant) -> None:
    made, empty = source(), source("Without", secret="")
    before = key_id_of(made.credential)
    done = reseal_columns(by=SYSTEM)
    made.refresh_from_db()
    empty.refresh_from_db()
    assert (done.credentials, done.old_keys_deleted) == (1, 1)
    assert open_column(made, "credential") == SECRET
    assert empty.credential == ""
    assert keys() == {key_id_of(made.credential)} != {before}
    assert AuditEvent.objects.filter(action="credentials.sealed_anew").exists()


def test_a_key_is_kept_while_a_write_may_be_under_way(in_tenant: Tenant) -> None:
    source()
    reseal_columns(by=SYSTEM, kept_since=timezone.now() - timedelta(minutes=15))
    assert len(keys()) == 2
    assert reseal_columns(by=SYSTEM).old_keys_deleted == 2


def test_nothing_is_done_in_a_dry_run_or_without_credentials(in_tenant: Tenant) -> None:
    assert reseal_columns(by=SYSTEM).credentials == 0
    assert keys() == set()
    made = source()
    assert reseal_columns(by=SYSTEM, dry_run=True).credentials == 1
    assert keys() == {key_id_of(made.credential)}


def test_the_rotation_of_keys_covers_credentials(tenant: Tenant) -> None:
    with tenant_scope(tenant):
        made = source()
    told = io.StringIO()
    call_command("rotate_keys", tenant=tenant.slug, json=True, writes_end_within=0, stdout=told)
    [done] = json.loads(told.getvalue())
    with tenant_scope(tenant):
        after = DataSource.objects.get(pk=made.pk)
        assert (done["credentials_sealed_anew"], open_column(after, "credential")) == (1, SECRET)
        assert after.credential != made.credential


@pytest.mark.django_db(transaction=True)
def test_an_export_leaves_credentials_out_and_says_so(tenant: Tenant) -> None:
    archive = io.BytesIO()
    with tenant_scope(tenant):
        made = source()
        assert kept_credentials() == {"training.datasource.credential": 1}
        export_tenant(target=archive, by=SYSTEM)
    with zipfile.ZipFile(archive) as opened:
        texts = {name: opened.read(name).decode(errors="replace") for name in opened.namelist()}
    assert not [name for name, text in texts.items() if made.credential in text or SECRET in text]
    [row] = texts["tables/training.datasource.jsonl"].splitlines()
    assert (json.loads(row)["name"], json.loads(row)["credential"]) == ("Registry", "")
    assert json.loads(texts["manifest.json"])["credentials_left_out"] == {"training.datasource.credential": 1}
