"""The trail: who did what to which object, when, from where. Append-only, and chained."""

from collections.abc import Iterable
from typing import Any, NoReturn

from django.db import models, transaction
from django.utils import timezone

from mlplatform.tenancy.chain import entry_of, genesis, seal
from mlplatform.tenancy.models.base import TenantManager, TenantModel
from mlplatform.tenancy.scope import current_tenant


def actor_name(kind: str, label: str) -> str:
    """Return how people are told who acted: a person by address alone, anything else with what it is."""
    return label if kind == "user" else f"{kind.replace('_', ' ')} {label}"


class ImmutableRow(RuntimeError):
    """Code tried to change or delete a row that is history, or to add one past the chain."""


class AppendOnlyQuerySet(models.QuerySet["AuditEvent"]):
    """Refuses what would rewrite history, on whichever way Django takes."""

    def about(self, kind: str, key: str) -> "AppendOnlyQuerySet":
        """Return the entries about one object, those that came with an imported tenant included."""
        here = models.Q(object_id=key, moved_to="") | models.Q(moved_to=key)
        return self.filter(here, object_type=kind)

    def update(self, **kwargs: object) -> NoReturn:
        """Raise ImmutableRow; bulk_update and update_or_create end here too."""
        raise ImmutableRow("Audit events are never changed.")

    def delete(self) -> NoReturn:
        """Raise ImmutableRow."""
        raise ImmutableRow("Audit events are never deleted.")

    def bulk_create(self, objs: Iterable["AuditEvent"], *args: object, **kwargs: object) -> NoReturn:
        """Raise ImmutableRow: each entry is sealed as it is saved, one after the other."""
        raise ImmutableRow("Audit events are added one by one, with record().")

    def _update(self, values: object) -> NoReturn:
        raise ImmutableRow("Audit events are never changed.")

    def _raw_delete(self, using: object) -> NoReturn:
        raise ImmutableRow("Audit events are never deleted.")


class AuditHead(TenantModel):
    """The newest link of a tenant's chain; its row lock makes the tenant's entries queue.

    It also tells that entries were cut off at the end, which the chain alone cannot; ``origin`` is the short
    name that the trail began under, where that is not the tenant's present one.
    """

    model_link = None

    sequence = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64)
    origin = models.CharField(max_length=50, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_audit_head_per_tenant")]

    def __str__(self) -> str:
        return f"{self.sequence}:{self.hash}"

    @classmethod
    def locked(cls) -> "AuditHead":
        """Return the active tenant's head, locked until the transaction ends; the first call makes it.

        SQLite has no row locks: there the transaction itself is IMMEDIATE and so the only writer.
        """
        head, _ = cls.objects.select_for_update().get_or_create(
            defaults={"hash": genesis(current_tenant().slug)}
        )
        return head


class AuditEvent(TenantModel):
    """One entry of a tenant's audit trail, written in the same transaction as what it tells of.

    ``object_id`` is sealed as it was. Where the tenant came from another server, ``moved_to`` is the object's
    number here.
    """

    model_link = None

    sequence = models.PositiveBigIntegerField(editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    actor_kind = models.CharField(max_length=20)
    actor_label = models.CharField(max_length=200)
    actor_id = models.BigIntegerField(null=True)
    action = models.CharField(max_length=60, db_index=True)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=60)
    object_label = models.CharField(max_length=300)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    details = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    address = models.GenericIPAddressField(null=True)
    moved_to = models.CharField(max_length=60, blank=True, editable=False, db_index=True)
    prev_hash = models.CharField(max_length=64, editable=False)
    hash = models.CharField(max_length=64, editable=False)

    objects = TenantManager.from_queryset(AppendOnlyQuerySet)()  # type: ignore[misc]  # narrows the base's
    all_tenants = models.Manager.from_queryset(AppendOnlyQuerySet)()  # type: ignore[misc]

    class Meta:
        ordering = ["-sequence"]
        # Django's own inner ways (relations, collectors, saves) are append-only as well.
        base_manager_name = "all_tenants"
        indexes = [models.Index(fields=["tenant", "object_type", "object_id"])]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "sequence"], name="one_audit_event_per_place")
        ]

    def __str__(self) -> str:
        return f"{self.actor_label} {self.action} {self.object_label}"

    @property
    def actor(self) -> str:
        """Who did it."""
        return actor_name(self.actor_kind, self.actor_label)

    @property
    def object_here(self) -> str:
        """The object's number on this server."""
        return self.moved_to or self.object_id

    def entry(self) -> dict[str, Any]:
        """Return the sealed fields as plain JSON values, followed by the seal."""
        return {**entry_of(self), "hash": self.hash}

    def save(self, *args: object, **kwargs: object) -> None:
        """Append the row to the chain; a second save raises ImmutableRow."""
        if not self._state.adding:
            raise ImmutableRow("Audit events are never changed.")
        with transaction.atomic(savepoint=False):
            head = AuditHead.locked()
            self.sequence, self.prev_hash = head.sequence + 1, head.hash
            self.at = timezone.now()  # under the lock, so that times follow the sequence
            self.hash = seal(entry_of(self))
            super().save(*args, **kwargs)
            AuditHead.objects.filter(pk=head.pk).update(sequence=self.sequence, hash=self.hash)

    def delete(self, *args: object, **kwargs: object) -> NoReturn:
        """Raise ImmutableRow."""
        raise ImmutableRow("Audit events are never deleted.")
