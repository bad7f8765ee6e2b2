"""Which claims of a sign-on provider give which role in which tenant."""

from django.db import models

from mlplatform.tenancy.models import Role, Tenant


class ClaimMapping(models.Model):
    """Whoever signs in with the claim becomes a member of the tenant, and stays one while the claim lasts."""

    provider = models.CharField(max_length=50, help_text="The provider's short name.")
    claim = models.CharField(
        max_length=100,
        help_text="Its name, such as groups, or realm_access.roles for one inside another.",
    )
    value = models.CharField(max_length=200, help_text="What it must be, or hold, for example ml-analysts.")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=20, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "sign-on rule"
        ordering = ["provider", "tenant__name", "claim", "value"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "claim", "value", "tenant"],
                name="one_role_per_claim_and_tenant",
                violation_error_message="There is a rule for this claim and tenant already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider}: {self.claim} = {self.value}"
