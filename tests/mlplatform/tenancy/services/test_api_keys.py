"""Keys: what they are good for, rotation with overlap, and two rotations at once."""

from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.authentication import InvalidApiKey, authenticate_key
from mlplatform.tenancy.errors import InvalidKeyRequest, KeyAlreadyRevoked, KeyAlreadyRotated, KeyNotFound
from mlplatform.tenancy.models import ApiKey, AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.api_keys import (
    CreatedKey,
    create_api_key,
    find_api_key,
    revoke_api_key,
    rotate_api_key,
)
from tests.factories import make_model


def made(**options: object) -> CreatedKey:
    return create_api_key(**{"name": "lab", "scopes": ["read"], "by": SYSTEM, **options})  # type: ignore[arg-type]  # as given


def works(secret: str) -> bool:
    try:
        authenticate_key(secret)
    except InvalidApiKey:
        return False
    return True


def test_models_are_kept_once_and_in_order(in_tenant: Tenant) -> None:
    make_model("churn"), make_model("biopsy")
    assert made(models=["churn", "biopsy", "churn"]).key.model_names == ["biopsy", "churn"]


def test_unknown_and_foreign_models_are_refused_alike(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant):
        make_model("wine")
    with tenant_scope(tenant):
        for name in ("wine", "nothing", "no\x00thing"):
            with pytest.raises(InvalidKeyRequest, match="no such models") as refused:
                made(models=[name])
            assert list(refused.value.fields or ()) == ["models"]
        assert not ApiKey.objects.exists()


def test_admin_scope_takes_no_models(in_tenant: Tenant) -> None:
    make_model("churn")
    with pytest.raises(InvalidKeyRequest, match="takes no models"):
        made(scopes=["read", "admin"], models=["churn"])


def test_successor_has_the_same_rights_and_both_work_for_the_overlap(in_tenant: Tenant) -> None:
    make_model("churn")
    old = made(scopes=["read", "predict"], models=["churn"])
    new = rotate_api_key(key=old.key, by=SYSTEM)
    same = ("name", "scopes", "model_names", "tenant_id")
    assert [getattr(new.key, name) for name in same] == [getattr(old.key, name) for name in same]
    assert new.key.rotated_from == old.key
    assert works(old.secret)
    assert works(new.secret)
    left = ApiKey.objects.get(pk=old.key.pk).expires_at - timezone.now()  # type: ignore[operator]  # set by rotating
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)


def test_overlap_of_nothing_ends_the_old_key_at_once(in_tenant: Tenant) -> None:
    old = made()
    new = rotate_api_key(key=old.key, by=SYSTEM, overlap_hours=0)
    assert not works(old.secret)
    assert works(new.secret)


def test_overlap_never_outlasts_the_old_keys_own_expiry_and_life_is_as_long(in_tenant: Tenant) -> None:
    expires = timezone.now() + timedelta(hours=2)
    old = made(expires_at=expires)
    new = rotate_api_key(key=old.key, by=SYSTEM, overlap_hours=48)
    assert ApiKey.objects.get(pk=old.key.pk).expires_at == expires
    assert new.key.expires_at is not None
    assert timedelta(0) <= new.key.expires_at - expires < timedelta(minutes=1)


@pytest.mark.parametrize("hours", [-1, 721, 10**9])
def test_impossible_overlap_is_refused(in_tenant: Tenant, hours: int) -> None:
    with pytest.raises(InvalidKeyRequest, match="0 to 720 hours"):
        rotate_api_key(key=made().key, by=SYSTEM, overlap_hours=hours)


def test_second_rotation_of_the_same_key_is_refused_and_leaves_no_key(in_tenant: Tenant) -> None:
    old = made()
    rotate_api_key(key=old.key, by=SYSTEM)
    with pytest.raises(KeyAlreadyRotated):
        rotate_api_key(key=old.key, by=SYSTEM)
    assert ApiKey.objects.count() == 2


def test_ended_keys_cannot_be_rotated(in_tenant: Tenant) -> None:
    revoked = revoke_api_key(key=made().key, by=SYSTEM)
    expired = made(expires_at=timezone.now() + timedelta(hours=1)).key
    expired.expires_at = timezone.now()
    for key in (revoked, expired):
        with pytest.raises(KeyAlreadyRevoked, match="has ended"):
            rotate_api_key(key=key, by=SYSTEM)


def test_a_chain_of_rotations_is_linked_and_recorded(in_tenant: Tenant) -> None:
    first = made()
    second = rotate_api_key(key=first.key, by=SYSTEM)
    third = rotate_api_key(key=second.key, by=SYSTEM)
    assert third.key.rotated_from == second.key
    assert second.key.successor == third.key
    event = AuditEvent.objects.filter(action="api_key.rotated").latest("sequence")
    assert event.object_id == str(second.key.pk)
    assert (event.after or {})["successor"] == third.key.pk
    assert second.secret not in str([entry.entry() for entry in AuditEvent.objects.all()])


@pytest.mark.django_db(transaction=True)
def test_of_two_rotations_at_once_one_wins(tenant: Tenant) -> None:
    with tenant_scope(tenant):
        old = made()
    outcomes: list[str] = []

    def rotate() -> None:
        try:
            with tenant_scope(tenant):
                rotate_api_key(key=ApiKey.objects.get(pk=old.key.pk), by=SYSTEM)
            outcomes.append("made")
        except KeyAlreadyRotated:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=rotate) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made", "refused"]
    with tenant_scope(tenant):
        assert ApiKey.objects.count() == 2


def test_keys_are_found_by_what_they_begin_with(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(tenant):
        key = made().key
        assert find_api_key(f"mlp_{key.prefix}") == find_api_key(key.prefix) == key
    with tenant_scope(other_tenant), pytest.raises(KeyNotFound):
        find_api_key(key.prefix)
