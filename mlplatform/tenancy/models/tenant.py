"""A company, or a part of one, that shares this installation with others."""

from django.core.validators import RegexValidator
from django.db import models

SLUG_FORM = RegexValidator(
    r"^[a-z0-9]+(?:-[a-z0-9]+)*$",
    "Use lower-case letters, digits and single hyphens, for example north-clinic.",
)


class Tenant(models.Model):
    """The owner of every other row."""

    slug = models.CharField(max_length=50, unique=True, validators=[SLUG_FORM])
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True, help_text="Off: members and keys are refused.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
