"""The trail: who did what to which object, when, from where."""

from typing import NoReturn

from django.db import models

from mlplatform.tenancy.models.base import TenantManager, TenantModel


def actor_name(kind: str, label: str) -> str:
    """Return how people are told who acted: a person by address alone, anything else with what it is."""
    return label if kind == "user" else f"{kind.replace('_', ' ')} {label}"


class ImmutableRow(RuntimeError):
    """Code tried to change or delete a row that is history."""


class AppendOnlyQuerySet(models.QuerySet["AuditEvent"]):
    """Refuses what would rewrite history."""

    def update(self, **kwargs: object) -> NoReturn:
        """Raise ImmutableRow."""
        raise ImmutableRow("Audit events are never changed.")

    def delete(self) -> NoReturn:
        """Raise ImmutableRow."""
        raise ImmutableRow("Audit events are never deleted.")


class AuditEvent(TenantModel):
    """One entry of a tenant's audit trail, written in the same transaction as what it tells of."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    actor_kind = models.CharField(max_length=20)
    actor_label = models.CharField(max_length=200)
    actor_id = models.BigIntegerField(null=True)
    action = models.CharField(max_length=60, db_index=True)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=60)
    object_label = models.CharField(max_length=300)
    details = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    address = models.GenericIPAddressField(null=True)

    objects = TenantManager.from_queryset(AppendOnlyQuerySet)()  # type: ignore[misc]  # narrows the base's
    all_tenants = models.Manager.from_queryset(AppendOnlyQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["tenant", "object_type", "object_id"])]

    def __str__(self) -> str:
        return f"{self.actor_label} {self.action} {self.object_label}"

    @property
    def actor(self) -> str:
        """Who did it."""
        return actor_name(self.actor_kind, self.actor_label)

    def save(self, *args: object, **kwargs: object) -> None:
        """Insert the row; a second save raises ImmutableRow."""
        if not self._state.adding:
            raise ImmutableRow("Audit events are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: object, **kwargs: object) -> NoReturn:
        """Raise ImmutableRow."""
        raise ImmutableRow("Audit events are never deleted.")
