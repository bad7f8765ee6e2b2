"""The base of every task that works for a tenant."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from celery import Task
from celery.contrib.django.task import DjangoTask
from django.db import transaction

from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.request_context import request_context
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction

logger = logging.getLogger(__name__)


class MissingTenantError(TypeError):
    """A tenant's task was sent without saying for which tenant."""


class TenantTask(DjangoTask[Any, Any]):
    """Carries ``tenant_id`` with the message and runs the task in that tenant's scope.

    Send it with ``task.delay_on_commit(..., tenant_id=tenant.pk)``; leaving the id out raises at once.
    """

    abstract = True
    typing = False  # tenant_id is taken off before run() is called, so run() need not name it

    def apply_async(  # type: ignore[override]  # every option is passed on as given
        self, args: Any = None, kwargs: Any = None, **options: Any
    ) -> Any:
        """Send the message; raises MissingTenantError where it names no tenant."""
        self._demand_tenant(kwargs)
        return super().apply_async(args, kwargs, **options)

    def delay_on_commit(  # type: ignore[override]  # there is no result to wait for before the commit
        self, *args: Any, **kwargs: Any
    ) -> None:
        """Send the message once the transaction has committed; a missing tenant is refused now."""
        self.apply_async_on_commit(args=args, kwargs=kwargs)

    def apply_async_on_commit(  # type: ignore[override]  # as above
        self, args: Any = None, kwargs: Any = None, **options: Any
    ) -> None:
        """Send the message, with these options, once the transaction has committed.

        Where the broker is away, that is logged and no more: the row is there, and a sweep sends it again.
        """
        self._demand_tenant(kwargs)

        def send() -> None:  # Django's report of a failure wants a function's name, which a partial lacks
            self.apply_async(args, kwargs, **options)

        transaction.on_commit(send, robust=True)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run in the scope of the tenant named by the message."""
        self._demand_tenant(kwargs)
        tenant = Tenant.objects.filter(pk=kwargs.pop("tenant_id")).first()
        if tenant is None:  # the message was on its way when the tenant was erased
            logger.info("%s: its tenant is gone", self.name)
            return None
        # The message's own id ties together the log lines and entries of this run.
        with tenant_scope(tenant), request_context(request_id=self.request.id or "", address=None):
            return self.run(*args, **kwargs)

    def _demand_tenant(self, kwargs: dict[str, Any] | None) -> None:
        if not (kwargs or {}).get("tenant_id"):
            raise MissingTenantError(f"{self.name} does not say for which tenant: pass tenant_id.")


def send_for_tenants(task: Task[Any, Any], keys: Callable[[], Iterable[int]] | None = None) -> int:
    """Send the tenant task once for each active tenant; return how many messages were sent.

    With ``keys`` it is sent once for each key that this returns in the tenant's scope, as its argument.
    """
    sent = 0
    for tenant in Tenant.objects.filter(is_active=True):
        for args in _arguments(tenant, keys):
            task.delay(*args, tenant_id=tenant.pk)
            sent += 1
    return sent


def _arguments(tenant: Tenant, keys: Callable[[], Iterable[int]] | None) -> list[tuple[int, ...]]:
    if keys is None:
        return [()]
    with tenant_scope(tenant), tenant_transaction():
        return [(key,) for key in keys()]
