"""The base of every task that works for a tenant."""

from typing import Any

from celery.contrib.django.task import DjangoTask

from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope


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
        if not (kwargs or {}).get("tenant_id"):
            raise MissingTenantError(f"{self.name} was sent without tenant_id.")
        return super().apply_async(args, kwargs, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run in the scope of the tenant named by the message."""
        tenant_id = kwargs.pop("tenant_id", None)
        if tenant_id is None:
            raise MissingTenantError(f"{self.name} was run without tenant_id.")
        with tenant_scope(Tenant.objects.get(pk=tenant_id)):
            return self.run(*args, **kwargs)
