"""The base of every table that belongs to a tenant."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, TypeVar

from django.core.exceptions import FullResultSet, ValidationError
from django.db import models
from django.db.models.expressions import Expression
from django.db.models.lookups import In
from django.db.models.sql.compiler import SQLCompiler

from mlplatform.tenancy.models.tenant import Tenant
from mlplatform.tenancy.scope import WHOLE_TENANT, active_sight, active_tenant, current_tenant_id

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


class InSight(Expression):
    """True for rows whose model may be seen at the moment a query is sent; nothing at all where all may.

    ``link`` is the table's ``model_link``, ``common`` whether a row whose link is empty is in every sight.
    """

    conditional = True
    output_field = models.BooleanField()

    def __init__(self, link: str, common: bool = True) -> None:
        super().__init__()
        self._common = common
        self._column: Any = models.F(link)

    def get_source_expressions(self) -> list[Any]:
        """Return the column that leads to the model."""
        return [self._column]

    def set_source_expressions(self, exprs: Any) -> None:
        """Take the column as the query resolves it."""
        (self._column,) = exprs

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Return the condition; raises FullResultSet where every model is in sight."""
        sight, field = active_sight(), self._column.target
        if sight == WHOLE_TENANT:
            raise FullResultSet
        if field.is_relation:
            seen = field.related_model.objects.values("pk").query.resolve_expression(compiler.query)
            conditions = [compiler.compile(In(self._column, seen))]
        else:
            conditions = [
                *([compiler.compile(In(self._column, sight.only))] if sight.only is not None else []),
                *([_negated(compiler.compile(In(self._column, sight.hidden)))] if sight.hidden else []),
            ]
        sql = " AND ".join(part for part, _ in conditions)
        if field.null and self._common:
            column, _ = compiler.compile(self._column)
            sql = f"({column} IS NULL OR {sql})"
        return sql, tuple(value for _, values in conditions for value in values)


def _negated(condition: tuple[str, Any]) -> tuple[str, Any]:
    return f"NOT ({condition[0]})", condition[1]


class TenantManager(models.Manager[M]):
    """Sees the active tenant's rows only, and of those only what is in sight (``tenancy.scope.Sight``).

    Sending a query where no tenant is active raises NoActiveTenant.
    """

    def get_queryset(self) -> models.QuerySet[M]:
        """Return the active tenant's rows in sight."""
        rows = super().get_queryset().filter(tenant_id=CurrentTenantId())
        model: Any = self.model
        link = getattr(model, "model_link", None)
        return rows.filter(InSight(link, model.unlinked_is_common)) if link else rows


class TenantModel(models.Model):
    """A row that belongs to exactly one tenant, stamped with the active one.

    ``objects`` is scoped and closed by default. ``all_tenants`` crosses the wall under its own name, so that
    every use of it can be found and argued for. Each table states its ``model_link``: the foreign key that
    leads to its registered model, directly or by way of another row, or None where it belongs to no model.
    """

    model_link: ClassVar[str | None]
    # Whether a row whose link is empty belongs to no model. Else it belongs to one that is not known yet, and
    # is there for those alone to whom every model is.
    unlinked_is_common: ClassVar[bool] = True
    # Which rows stand for work that runs now: while there are any, their tenant is not erased.
    under_way: ClassVar[models.Q | None] = None

    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, default=current_tenant_id, editable=False, related_name="+"
    )

    objects = TenantManager()
    all_tenants = models.Manager()

    # What rows of this table take of their tenant's limits: the limit's name, and how it is counted.
    uses: ClassVar[Mapping[str, models.Aggregate]] = {}

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

    def leave(self) -> None:
        """Take along what the row owns outside the tenants' tables when its tenant is erased: nothing."""

    def arrive(self) -> None:
        """Change what must not go on as it was when the row arrives with an imported tenant: nothing."""

    def registered_model(self) -> Any:
        """Return the registered model that the row belongs to, itself where it is one, or None."""
        link = self.model_link
        if link is None or not self._meta.get_field(link).is_relation:
            return self if link else None
        leads_to = getattr(self, link)
        return leads_to.registered_model() if leads_to else None

    def _crosses_the_wall(self, field: "models.ForeignKey[models.Model, models.Model]") -> bool:
        model: Any = field.related_model
        key = getattr(self, field.attname)
        if key is None or not issubclass(model, TenantModel):
            return False
        return not model.all_tenants.filter(pk=key, tenant=self.tenant_id).exists()
