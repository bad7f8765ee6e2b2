"""Credentials in columns: sealed with the tenant's own key, each for its own row, and sealed anew."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from mlplatform.sealing.texts import key_id_of
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import DataKey, KeyPurpose, TenantModel
from mlplatform.tenancy.models.sealed import SealedText
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.data_keys import new_data_key, seal, unseal
from mlplatform.tenancy.walls import tenant_models


@dataclass
class Resealed:
    """What sealing credentials anew did: how many there are, and old keys deleted."""

    credentials: int = 0
    old_keys_deleted: int = 0


def sealed_columns() -> Iterator[tuple[type[TenantModel], str]]:
    """Yield every table with a column of credentials, and the column's name."""
    for model in tenant_models():
        for field in model._meta.local_fields:
            if isinstance(field, SealedText):
                yield model, field.name


def seal_column(row: TenantModel, column: str, text: str) -> None:
    """Put the credential into the row's column, sealed for this row alone; the row has a key by then."""
    setattr(row, column, seal(text, purpose=_purpose(row, column)) if text else "")


def open_column(row: TenantModel, column: str) -> str:
    """Return the credential, empty where there is none; raises NotSealed, KeyNotFound or SealBroken."""
    sealed: str = getattr(row, column)
    return unseal(sealed, purpose=_purpose(row, column)) if sealed else ""


def kept_credentials() -> dict[str, int]:
    """Return how many credentials of the active tenant stand in each column that has some."""
    counts = {
        f"{model._meta.label_lower}.{name}": model._default_manager.exclude(**{name: ""}).count()
        for model, name in sealed_columns()
    }
    return {column: count for column, count in counts.items() if count}


def reseal_columns(*, by: Actor, kept_since: datetime | None = None, dry_run: bool = False) -> Resealed:
    """Give the active tenant a new key of credentials and seal them with it, in one transaction.

    Earlier keys that no credential names any more are deleted, but for those retired after ``kept_since``:
    a write may be under way with them. Raises SealBroken where a credential does not open.
    """
    done = Resealed()
    with tenant_transaction():
        rows = [(row, name) for model, name in sealed_columns() for row in _locked(model, name)]
        done.credentials = len(rows)
        if dry_run or not DataKey.objects.filter(purpose=KeyPurpose.SECRETS).exists():
            return done
        plain = [open_column(row, name) for row, name in rows]
        made = _next_key()
        for (row, name), text in zip(rows, plain, strict=True):
            seal_column(row, name, text)
            row.save(update_fields=[name])
        record(by=by, action="credentials.sealed_anew", target=made, credentials=len(rows))
        done.old_keys_deleted = _delete_unused(by, kept_since or timezone.now())
    return done


def _purpose(row: TenantModel, column: str) -> str:
    return f"{row._meta.label_lower}.{column} {row.pk}"


def _locked(model: type[TenantModel], name: str) -> list[TenantModel]:
    rows = model._default_manager.select_for_update(of=("self",)).exclude(**{name: ""})
    return list(rows.order_by("pk"))


def _next_key() -> DataKey:
    current = DataKey.objects.select_for_update().filter(purpose=KeyPurpose.SECRETS, retired_at=None)
    current.update(retired_at=timezone.now())
    return new_data_key(KeyPurpose.SECRETS)


def _delete_unused(by: Actor, before: datetime) -> int:
    named = {
        key_id_of(getattr(row, name))
        for model, name in sealed_columns()
        for row in model._default_manager.exclude(**{name: ""})
    }
    retired = DataKey.objects.filter(purpose=KeyPurpose.SECRETS, retired_at__lte=before)
    unused = [key for key in retired if key.pk.hex not in named]
    for key in unused:
        record(by=by, action="data_key.deleted", target=key)
        key.delete()
    return len(unused)
