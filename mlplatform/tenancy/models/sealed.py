"""A column that holds a credential, sealed with its tenant's key."""

from typing import Any

from django.db import models


class SealedText(models.TextField):  # type: ignore[type-arg]  # not generic when it runs
    """A credential as ``services.sealed_texts`` seals it: empty, or unreadable without the tenant's key.

    Exports and rotations find credentials by this type. To the database it is plain text.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"blank": True, "default": "", "editable": False, **options})

    def deconstruct(self) -> Any:
        """Return what a migration needs: a text column."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    def clone(self) -> "SealedText":
        """Return the field again, which migrations do not know."""
        _, _, args, kwargs = self.deconstruct()
        return SealedText(*args, **kwargs)
