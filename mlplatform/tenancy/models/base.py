"""The base of every table that belongs to a tenant."""

from collections.abc import Collection
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.expressions import Expression
from django.db.models.sql.compiler import SQLCompiler

from mlplatform.tenancy.models.tenant import Tenant
from mlplatform.tenancy.scope import active_tenant, current_tenant_id

M = TypeVar("M", bound=models.Model)


class CurrentTenantId(Expression):
    """The active tenant's key, asked for at the moment a query is sent.

    A query can thus be built anywhere, even at import time, but sent only where a tenant is active, and it
    always means the tenant that is active then. Elsewhere it raises NoActiveTenant.
    """

    output_field = models.BigIntegerField()

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        """Return the placeholder and the key; raises NoActiveTenant."""
        return "%s", (current_tenant_id(),)


class TenantManager(models.Manager[M]):
    """Sees the active tenant's rows only; sending a query where no tenant is active raises NoActiveTenant."""

    def get_queryset(self) -> models.QuerySet[M]:
        """Return the active tenant's rows."""
        return super().get_queryset().filter(tenant_id=CurrentTenantId())


class TenantModel(models.Model):
    """A row that belongs to exactly one tenant, stamped with the active one.

    ``objects`` is scoped and closed by default. ``all_tenants`` crosses the wall under its own name, so that
    every use of it can be found and argued for.
    """

    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, default=current_tenant_id, editable=False, related_name="+"
    )

    objects = TenantManager()
    all_tenants = models.Manager()

    class Meta:
        abstract = True

    def clean(self) -> None:
        """Refuse links to another tenant's rows; Django's own check looks through the unscoped manager."""
        super().clean()
        for field in self._meta.concrete_fields:
            if isinstance(field, models.ForeignKey) and self._crosses_the_wall(field):
                raise ValidationError({field.name: f"Unknown {field.verbose_name}."})

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Check unique constraints with the tenant in them, although no form shows the tenant."""
        super().validate_constraints(set(exclude or ()) - {"tenant"})

    def save(self, *args: object, **kwargs: object) -> None:
        """Save the row; writing into a tenant other than the active one is refused."""
        tenant = active_tenant()
        if tenant is not None and self.tenant_id != tenant.pk:
            raise ValidationError(f"This {self._meta.verbose_name} belongs to another tenant.")
        super().save(*args, **kwargs)  # type: ignore[arg-type]  # passed through as given

    def _crosses_the_wall(self, field: "models.ForeignKey[models.Model, models.Model]") -> bool:
        model: Any = field.related_model
        key = getattr(self, field.attname)
        if key is None or not issubclass(model, TenantModel):
            return False
        return not model.all_tenants.filter(pk=key, tenant=self.tenant_id).exists()
