"""The end of a tenant: everything of it is deleted, its keys too, so that no copy of a file can be read.

On PostgreSQL only the owner of the tables may do this: the application can neither delete nor change the
audit trail, and is not to be able to.
"""

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection, models, transaction

from mlplatform.errors import Conflict, InvalidInput, NotAllowed
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.lookups import memberships_of
from mlplatform.tenancy.models import AuditEvent, AuditHead, Erasure, Membership, Tenant, TenantModel, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.accounts import set_tenant_active
from mlplatform.tenancy.walls import tenant_models
from registry.services.stored_files import stored_columns, stored_files
from registry.services.tenant_tables import STAYS, departing_tables, rows_of
from registry.storage import tenant_folder

logger = logging.getLogger(__name__)
Said = Callable[[str], None]
OWNS = "SELECT pg_has_role(current_user, relowner, 'MEMBER') FROM pg_class WHERE oid = %s::regclass"
ALLOW = "SELECT set_config('app.erased_tenant', %s, true)"


@dataclass
class Remains:
    """What a tenant holds: rows by table, files, accounts that belong to no other tenant, the trail's end."""

    tenant: str
    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    accounts: list[str] = field(default_factory=list)
    audit_anchor: str = ""


def survey(tenant: Tenant) -> Remains:
    """Count what an erasure would delete."""
    found = Remains(tenant.slug)
    with tenant_scope(tenant), tenant_transaction():
        found.rows = {model._meta.label_lower: model.objects.count() for model in tenant_models()}
        found.files = len(stored_files())
        found.accounts = [user.email for user in _own_accounts(tenant)]
        head = AuditHead.objects.first()
        found.audit_anchor = f"{head.sequence}:{head.hash}" if head else ""
    return found


def erase_tenant(*, tenant: Tenant, confirmed: str, by: Actor, say: Said = lambda _: None) -> Erasure:
    """Delete everything of the tenant, and return the receipt; ``confirmed`` is its short name once more.

    The tenant is switched off first. Stopped in the middle, it is finished by calling it again. Raises
    InvalidInput, NotAllowed (not the owner, on PostgreSQL) or Conflict (work is under way).
    """
    if confirmed != tenant.slug:
        raise InvalidInput(
            f"{confirmed!r} is not the tenant to be erased. Repeat its short name: {tenant.slug}."
        )
    _demand_owner()
    _refuse_while_under_way(tenant)
    if tenant.is_active:
        set_tenant_active(tenant=tenant, active=False, by=by)
    found = survey(tenant)
    _delete_files(tenant)
    say(f"{found.files} files are deleted")
    with transaction.atomic():
        receipt = Erasure.objects.create(
            slug=tenant.slug,
            tenant_number=tenant.pk,
            erased_by=str(by)[:200],
            rows=found.rows,
            files=found.files,
            accounts=len(found.accounts),
            audit_anchor=found.audit_anchor,
        )
        with tenant_scope(tenant):
            _delete_rows(tenant, say)
        tenant.delete()
    logger.warning("tenant.erased: %s by %s", receipt.slug, by)
    return receipt


def _demand_owner() -> None:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(OWNS, [AuditEvent._meta.db_table])
        (owns,) = cursor.fetchone()
    if not owns:
        raise NotAllowed(
            "The application's role cannot delete an audit trail. Run this as the owner of the tables: "
            "DATABASE_URL=postgresql://mlplatform_owner:...@host/name"
        )


def _refuse_while_under_way(tenant: Tenant) -> None:
    with tenant_scope(tenant), tenant_transaction():
        for model in tenant_models():
            if model.under_way is not None and (count := model.objects.filter(model.under_way).count()):
                raise Conflict(
                    f"{count} {model._meta.verbose_name_plural} of {tenant.slug} are running. Cancel them or "
                    "wait until they have ended."
                )


def _own_accounts(tenant: Tenant) -> list[User]:
    """Return the accounts that belong to this tenant alone; platform administrators stay."""
    members = [member.user for member in Membership.objects.select_related("user")]
    return [
        user
        for user in members
        if not user.is_superuser and {one.tenant_id for one in memberships_of(user)} == {tenant.pk}
    ]


def _delete_files(tenant: Tenant) -> None:
    with tenant_scope(tenant):
        if isinstance(default_storage, FileSystemStorage):
            for folder in {column.folder for _, column in stored_columns()}:
                shutil.rmtree(Path(default_storage.path(tenant_folder(folder))), ignore_errors=True)
        for path in stored_files():
            default_storage.delete(path)


def _delete_rows(tenant: Tenant, say: Said) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(ALLOW, [str(tenant.pk)])
    accounts = _own_accounts(tenant)
    tables: list[type[TenantModel]] = [*STAYS, *departing_tables()]
    for model in reversed(tables):
        if model.leave is not TenantModel.leave:
            for row in rows_of(model):
                row.leave()
        count = _delete_all(model, tenant)
        say(f"{model._meta.verbose_name_plural}: {count} rows are deleted")
    for user in accounts:
        for attempts in (AccessAttempt, AccessFailureLog, AccessLog):
            attempts.objects.filter(username=user.email).delete()
        user.delete()


def _delete_all(model: type[TenantModel], tenant: Tenant) -> int:
    """Delete the tenant's rows with one statement, past the doors of history, which end with their tenant."""
    rows = cast(Any, models.QuerySet(model).filter(tenant_id=tenant.pk))
    count: int = rows._raw_delete(using=connection.alias)
    return count
