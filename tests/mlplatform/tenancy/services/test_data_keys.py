"""A tenant's own keys."""

import threading
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection
from pytest_django import Settings

from mlplatform.sealing.errors import KeyNotFound, SealBroken
from mlplatform.tenancy.models import DataKey, KeyPurpose, Tenant
from mlplatform.tenancy.scope import NoActiveTenant, tenant_scope, tenant_transaction
from mlplatform.tenancy.services.data_keys import current_key, find_key, keyed_hash, seal, unseal


def test_a_key_is_made_once_and_found_again(in_tenant: Tenant) -> None:
    key = current_key()
    assert current_key() == key
    assert find_key(key.id) == key.secret
    assert len(key.secret) == 32


def test_each_purpose_and_each_tenant_has_a_key_of_its_own(tenant: Tenant, other_tenant: Tenant) -> None:
    secrets = set()
    for owner in (tenant, other_tenant):
        with tenant_scope(owner):
            secrets |= {current_key(purpose).secret for purpose in KeyPurpose}
    assert len(secrets) == 2 * len(KeyPurpose)


def test_only_the_wrapped_key_is_stored_and_no_repr_shows_it(in_tenant: Tenant) -> None:
    key = current_key()
    row = DataKey.objects.get()
    assert row.wrapped.startswith("s1.")
    assert key.secret.hex() not in row.wrapped
    assert repr(key) == f"OpenKey({key.id})"


def test_a_wrapped_key_fits_its_own_row_alone(in_tenant: Tenant) -> None:
    mine, names = current_key(), current_key(KeyPurpose.NAMES)
    DataKey.objects.filter(pk=mine.id).update(wrapped=DataKey.objects.get(pk=names.id).wrapped)
    with pytest.raises(SealBroken):
        current_key()


def test_another_tenants_key_is_not_found(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(tenant):
        key = current_key()
    with tenant_scope(other_tenant), pytest.raises(KeyNotFound):
        find_key(key.id)
    with tenant_scope(tenant), pytest.raises(KeyNotFound):
        find_key(uuid4())


def test_without_a_tenant_there_is_no_key(db: None) -> None:
    with pytest.raises(NoActiveTenant):
        current_key()


def test_a_lost_master_key_is_told(in_tenant: Tenant, settings: Settings) -> None:
    current_key()
    settings.MASTER_KEYS = ["another" * 10]
    with pytest.raises(KeyNotFound, match="Master key"):
        current_key()


def test_a_sealed_secret_opens_for_its_tenant_and_purpose_alone(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(tenant):
        sealed = seal("swordfish", purpose="password of a data source")
        assert unseal(sealed, purpose="password of a data source") == "swordfish"
        with pytest.raises(SealBroken):
            unseal(sealed, purpose="secret of a webhook")
        with pytest.raises(SealBroken, match="names no key"):
            unseal(sealed.replace(sealed.split(".")[1], "nokey"), purpose="password of a data source")
    with tenant_scope(other_tenant), pytest.raises(KeyNotFound):
        unseal(sealed, purpose="password of a data source")


def test_pseudonyms_are_stable_and_differ_between_tenants(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(tenant):
        ours = keyed_hash("ann@example.com")
        assert keyed_hash("ann@example.com") == ours
        assert keyed_hash("bob@example.com") != ours
    with tenant_scope(other_tenant):
        assert keyed_hash("ann@example.com") != ours


@pytest.mark.django_db(transaction=True)
def test_two_that_need_the_first_key_at_once_get_the_same(tenant: Tenant) -> None:
    found, barrier = [], threading.Barrier(4)

    def ask() -> None:
        with tenant_scope(tenant):
            barrier.wait()
            found.append(current_key().id)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_a_second_current_key_is_refused_by_the_database(in_tenant: Tenant) -> None:
    current_key()
    with pytest.raises(IntegrityError), tenant_transaction():
        DataKey(wrapped="s1.x.y").save(force_insert=True)
