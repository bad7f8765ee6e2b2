"""What is left of a tenant that was erased."""

from django.db import models


class Erasure(models.Model):
    """The receipt of an erasure: when, by whom, and how much; nothing of what was erased."""

    slug = models.CharField(max_length=50)
    tenant_number = models.BigIntegerField()
    erased_at = models.DateTimeField(auto_now_add=True)
    erased_by = models.CharField(max_length=200)
    rows = models.JSONField()
    files = models.PositiveBigIntegerField()
    accounts = models.PositiveBigIntegerField()
    audit_anchor = models.CharField(max_length=100)

    class Meta:
        ordering = ["-erased_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.slug}, erased {self.erased_at:%Y-%m-%d}"
