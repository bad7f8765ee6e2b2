"""How much of its limits a tenant has used."""

from django.db import models

from mlplatform.tenancy.models.base import TenantModel


class Usage(TenantModel):
    """What the tenant has stored, kept in step by ``services/usage.py`` in the transaction that stores it."""

    model_link = None

    storage_bytes = models.PositiveBigIntegerField(default=0)
    stored_rows = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = "limits"
        verbose_name_plural = "limits"
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_usage_per_tenant")]

    def __str__(self) -> str:
        return f"{self.stored_rows:,} rows, {self.storage_bytes:,} bytes stored"


class RequestCount(TenantModel):
    """How many requests one counter (of the tenant, a key or a person) took in its newest minute.

    A counter has one row, which each new minute begins anew: there is nothing to sweep.
    """

    model_link = None

    name = models.CharField(max_length=40)
    minute = models.BigIntegerField(help_text="Minutes since 1970.")
    taken = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="one_count_per_name")]

    def __str__(self) -> str:
        return f"{self.name}: {self.taken}"
