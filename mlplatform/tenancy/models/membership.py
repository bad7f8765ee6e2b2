"""A person's role in a tenant."""

from django.conf import settings
from django.db import models

from mlplatform.tenancy.models.base import TenantModel


class Role(models.TextChoices):
    """What a member may do; each role includes the ones before it (see ``permissions.py``)."""

    VIEWER = "viewer", "Viewer: reads"
    ANALYST = "analyst", "Analyst: data and training"
    OPERATOR = "operator", "Operator: deployment, feedback, alerts, schedules"
    APPROVER = "approver", "Approver: approves promotions"
    ADMIN = "admin", "Admin: members, keys, settings"


class Membership(TenantModel):
    """One person's role in one tenant."""

    model_link = None

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role, default=Role.VIEWER)
    given_by = models.CharField(
        max_length=50, blank=True, help_text="The sign-on provider whose claims gave it; empty: a person did."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "member"
        ordering = ["user__email"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "user"],
                name="one_membership_per_person",
                violation_error_message="This person is already a member.",
            )
        ]

    @property
    def email(self) -> str:
        """The person's address."""
        return self.user.email

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"
