"""Keys change by command."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from mlplatform.tenancy.models import DataKey, Tenant, User
from mlplatform.tenancy.scope import tenant_scope
from registry.storage import content_path, read_bytes, write_once


def run(*arguments: str) -> Any:
    out = io.StringIO()
    call_command("rotate_keys", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def path(tenant: Tenant) -> str:
    with tenant_scope(tenant):
        path = content_path("datasets", "0" * 64)
        write_once(path, b"content")
    return path


def test_one_tenants_files_get_a_new_key(tenant: Tenant, path: str, other_tenant: Tenant) -> None:
    [told] = run("--tenant", "clinic", "--dry-run")
    assert (told["files"], told["sealed_anew"], told["old_keys_kept"]) == (1, 1, 0)
    [done] = run("--tenant", "clinic")
    assert (done["sealed_anew"], done["old_keys_kept"]) == (1, 1)
    [ended] = run("--tenant", "clinic", "--writes-end-within", "0")
    assert (ended["sealed_anew"], ended["old_keys_deleted"]) == (0, 1)
    with tenant_scope(tenant):
        assert read_bytes(path) == b"content"


def test_the_keys_of_all_tenants_are_wrapped_anew(tenant: Tenant, path: str, settings: Any) -> None:
    settings.MASTER_KEYS = ["n" * 40, *settings.MASTER_KEYS]
    assert run("--all-tenants", "--master") == [
        {"tenant": "clinic", "keys_wrapped_anew": 2},
        {"tenant": "(accounts)", "keys_wrapped_anew": 0},
    ]
    settings.MASTER_KEYS = settings.MASTER_KEYS[:1]
    with tenant_scope(tenant):
        assert read_bytes(path) == b"content"


def test_a_lost_master_key_stops_it_before_anything_is_written(
    tenant: Tenant, path: str, settings: Any
) -> None:
    settings.MASTER_KEYS = ["n" * 40]
    with tenant_scope(tenant):
        before = list(DataKey.objects.values_list("pk", "wrapped"))
    for options in (["--master"], []):
        with pytest.raises(CommandError, match="ML_MASTER_KEYS"):
            run("--tenant", "clinic", *options)
    with tenant_scope(tenant):
        assert list(DataKey.objects.values_list("pk", "wrapped")) == before


def test_a_damaged_file_fails_the_command(tenant: Tenant, path: str) -> None:
    stored = Path(default_storage.path(path))
    stored.write_bytes(stored.read_bytes()[:-1])
    with pytest.raises(CommandError, match="1 files do not open"):
        run("--tenant", "clinic")


def test_somebody_must_say_for_whom(db: None) -> None:
    with pytest.raises(CommandError, match="--tenant"):
        run()
    with pytest.raises(CommandError, match="no tenant 'none'"):
        call_command("rotate_keys", "--tenant", "none")


def test_the_second_factors_of_accounts_are_sealed_under_the_new_master_key(db: None, settings: Any) -> None:
    user = User.objects.create_user("ann@example.com", "a-Long-pass-9")
    adapter = get_adapter()
    data = {"secret": adapter.encrypt("otp"), "migrated_codes": [adapter.encrypt("c1")], "used_mask": 3}
    Authenticator.objects.create(user=user, type="totp", data=data)
    settings.MASTER_KEYS = ["n" * 40, *settings.MASTER_KEYS]
    assert run("--all-tenants", "--master", "--dry-run")[-1]["keys_wrapped_anew"] == 1
    assert Authenticator.objects.get().data == data
    assert run("--all-tenants", "--master")[-1] == {"tenant": "(accounts)", "keys_wrapped_anew": 1}
    assert run("--all-tenants", "--master")[-1]["keys_wrapped_anew"] == 0
    settings.MASTER_KEYS = settings.MASTER_KEYS[:1]
    kept = Authenticator.objects.get().data
    assert (adapter.decrypt(kept["secret"]), adapter.decrypt(kept["migrated_codes"][0])) == ("otp", "c1")
    assert kept["used_mask"] == 3
