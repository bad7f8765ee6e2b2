"""What programs sign in with."""

from datetime import datetime

from django.db import models

from mlplatform.tenancy.models.base import TenantModel


class Scope(models.TextChoices):
    """What a key may be used for."""

    READ = "read", "Read everything of the tenant"
    PREDICT = "predict", "Ask for predictions"
    FEEDBACK = "feedback", "Send outcomes"
    TRAIN = "train", "Import data and train"
    DEPLOY = "deploy", "Promote, roll back, run checks, handle alerts and schedules"
    ADMIN = "admin", "Manage members and keys"


class ApiKey(TenantModel):
    """An API key of one tenant; only its hash is stored.

    ``rotated_from`` is the key that this one replaces; one-to-one, so that of two rotations at once one wins.
    """

    model_link = None

    name = models.CharField(max_length=100, help_text="Who uses it, for example 'laboratory server'.")
    prefix = models.CharField(max_length=8, editable=False, db_index=True)
    secret_hash = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=list)
    model_names = models.JSONField(default=list, help_text="The models it may use; empty for all.")
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    requests_per_minute = models.PositiveBigIntegerField(null=True, blank=True)
    last_used_from = models.GenericIPAddressField(null=True, editable=False)
    rotated_from = models.OneToOneField(
        "self", null=True, editable=False, on_delete=models.PROTECT, related_name="successor"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=200, editable=False)

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["tenant", "prefix"], name="one_key_per_prefix")]

    # A key stands where Django and DRF expect a user.
    is_authenticated = True
    is_anonymous = False
    is_active = True
    # Whether the request came with a short-lived token that stands for the key.
    is_token = False

    def __str__(self) -> str:
        return f"{self.name} (mlp_{self.prefix}…)"

    def is_live(self, now: datetime) -> bool:
        """Tell whether the key may be used at this moment."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
