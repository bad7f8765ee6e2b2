"""How much of its limits a tenant has used, and the room that is left.

Stocks (bytes and rows) are kept in the tenant's row of ``Usage``, moved in the transaction that stores or
deletes; what is in use for a while (jobs) is counted when it is asked for. Each table says what its rows take
(``TenantModel.uses``).
"""

from django.db import connection
from django.db.models import F

from mlplatform.errors import PlatformError, TooMany
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.errors import NoRoom
from mlplatform.tenancy.limits import STOCKS, kind_of, limit_of
from mlplatform.tenancy.models import Usage
from mlplatform.tenancy.request_context import current_request
from mlplatform.tenancy.scope import current_tenant, current_tenant_id, tenant_scope, tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.walls import tenant_models

JOBS_RETRY_SECONDS = 60
# Takes room for rows where there is some, for those who have no time for more than one statement.
TAKE_ROWS = f"""
    UPDATE {Usage._meta.db_table} SET stored_rows = stored_rows + %s
    WHERE tenant_id = %s AND stored_rows <= %s
"""  # noqa: S608  # the table's own name


def measured(name: str) -> int:
    """Return what the active tenant's rows take of the limit, counted row by row, in or out of sight."""
    with tenant_scope(current_tenant()):
        return sum(
            model._default_manager.aggregate(taken=model.uses[name])["taken"] or 0
            for model in tenant_models()
            if name in model.uses
        )


def locked_usage() -> Usage:
    """Return the active tenant's usage, locked until the transaction ends; the first call counts everything.

    Whoever decides by what is in use holds it, so that two who ask at once do not both get the last of it.
    """
    usage = Usage.objects.select_for_update().first()
    if usage is None:
        usage, _ = Usage.objects.get_or_create(defaults={name: measured(name) for name in STOCKS})
        usage = Usage.objects.select_for_update().get(pk=usage.pk)
    return usage


def take_room(**amounts: int) -> None:
    """Take room for what is about to be stored: ``storage_bytes``, ``stored_rows`` or both.

    Call it in the transaction that stores, before the rows are written; a rollback gives the room back.
    Raises NoRoom, and then nothing was taken.
    """
    wanted = {name: amount for name, amount in amounts.items() if amount}
    fits = {f"{name}__lte": limit_of(current_tenant(), name) - amount for name, amount in wanted.items()}
    more = {name: F(name) + amount for name, amount in wanted.items()}
    with tenant_transaction():
        # One statement where there is room, the usual case: it checks and takes at once.
        if not wanted or Usage.objects.filter(**fits).update(**more):
            return
        usage = locked_usage()
        require_room(usage=usage, **wanted)
        Usage.objects.filter(pk=usage.pk).update(**more)


def row_room(rows: int) -> tuple[int, int, int]:
    """Return the parameters with which ``TAKE_ROWS`` takes room for so many rows of the active tenant."""
    return rows, current_tenant_id(), limit_of(current_tenant(), "stored_rows") - rows


def take_row_room(rows: int) -> None:
    """Do what ``take_room(stored_rows=rows)`` does, in one plain statement where there is room."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE_ROWS, row_room(rows))
        taken = cursor.rowcount
    if not taken:
        take_room(stored_rows=rows)


def require_room(*, usage: Usage | None = None, **amounts: int) -> None:
    """Raise NoRoom where this much could not be stored now; takes nothing."""
    usage = usage or Usage.objects.first()
    for name, amount in amounts.items():
        used, limit = getattr(usage, name, 0), limit_of(current_tenant(), name)
        if used + amount > limit:
            raise _noted(
                name,
                NoRoom(
                    f"{kind_of(name).title}: {used:,} of {limit:,} are used, and this takes {amount:,} more. "
                    "Ask the platform's administrator for a higher limit."
                ),
            )


def give_back(**amounts: int) -> None:
    """Give room back for what was deleted, in the transaction that deletes it."""
    with tenant_transaction():
        usage = locked_usage()
        for name, amount in amounts.items():
            setattr(usage, name, max(0, getattr(usage, name) - amount))
        usage.save(update_fields=list(amounts))


def require_free(name: str) -> None:
    """Raise TooMany where the active tenant has as many of ``name`` (jobs) as it may.

    Call it while you hold ``locked_usage``, and keep that until the new one is written.
    """
    used, limit = measured(name), limit_of(current_tenant(), name)
    if used >= limit:
        detail = f"{kind_of(name).title}: {used:,} of {limit:,}. Wait for one to end, or cancel one."
        raise _noted(name, TooMany(detail, wait=JOBS_RETRY_SECONDS))


def recount(*, by: Actor) -> dict[str, int]:
    """Count what the active tenant has stored, and mend the usage; returns by how much each stock was off."""
    with tenant_transaction():
        usage = locked_usage()
        before = {name: getattr(usage, name) for name in STOCKS}
        after = {name: measured(name) for name in STOCKS}
        if before != after:
            Usage.objects.filter(pk=usage.pk).update(**after)
            record(by=by, action="usage.mended", target=usage, before=before, after=after)
    return {name: after[name] - before[name] for name in STOCKS}


def _noted(name: str, error: PlatformError) -> PlatformError:
    """Note the refusal for the trail: the middleware records it once the request's transaction has ended."""
    request = current_request()
    if request.request_id and name not in request.limits_reached:
        request.limits_reached.append(name)
    return error
