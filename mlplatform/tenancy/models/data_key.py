"""The keys that a tenant's data is encrypted with."""

import uuid

from django.db import models

from mlplatform.tenancy.models.base import TenantModel


class KeyPurpose(models.TextChoices):
    """What a key is for."""

    DATA = "data", "Files"
    SECRETS = "secrets", "Credentials"
    NAMES = "names", "Names of files"
    PSEUDONYMS = "pseudonyms", "Pseudonyms of persons"


class DataKey(TenantModel):
    """A key of one tenant, wrapped by the server's master key; without it what it sealed can never be read.

    One key of each purpose is current; a retired one still opens what it sealed. Only keys of files and of
    credentials are ever retired: what the keys of names and pseudonyms made must stay the same.
    """

    model_link = None

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    purpose = models.CharField(max_length=20, choices=KeyPurpose, default=KeyPurpose.DATA)
    wrapped = models.CharField(max_length=300, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "purpose"],
                condition=models.Q(retired_at=None),
                name="one_current_key_per_purpose",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} · {str(self.pk)[:8]}"
