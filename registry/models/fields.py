"""A column that names a stored file."""

from typing import Any

from django.db import models


class StoredFile(models.CharField):  # type: ignore[type-arg]  # not generic when it runs
    """The path of a sealed file in the storage, below ``folder`` and the tenant's number.

    Exports, rotations and erasures find a tenant's files by this type. To the database it is plain text.
    """

    def __init__(self, *, folder: str, **options: Any) -> None:
        super().__init__(**{"max_length": 200, **options})
        self.folder = folder

    def deconstruct(self) -> Any:
        """Return what a migration needs: a text column, wherever the files lie."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def clone(self) -> "StoredFile":
        """Return the field again, its folder included, which migrations do not know."""
        _, _, args, kwargs = self.deconstruct()
        return StoredFile(*args, folder=self.folder, **kwargs)
