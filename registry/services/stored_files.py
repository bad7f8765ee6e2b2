"""Which files the active tenant has, whatever table they belong to."""

from collections.abc import Iterator
from typing import cast

from django.apps import apps
from django.core.files.storage import default_storage

from mlplatform.tenancy.models import TenantModel
from registry.models.fields import StoredFile
from registry.storage import UNFINISHED, tenant_folder


def stored_columns() -> list[tuple[type[TenantModel], StoredFile]]:
    """Return every column, of whatever table, that names a tenant's file."""
    return [
        (cast(type[TenantModel], model), field)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, StoredFile)
    ]


def stored_files() -> list[str]:
    """Return the paths of all the active tenant's files, those that no row names any more included."""
    return [path for path in _all() if not _is_unfinished(path)]


def unfinished_files() -> list[str]:
    """Return the paths of the active tenant's unfinished files: being written, or broken off."""
    return [path for path in _all() if _is_unfinished(path)]


def _is_unfinished(path: str) -> bool:
    return path.rpartition("/")[2].startswith(UNFINISHED)


def _all() -> Iterator[str]:
    for folder in sorted({field.folder for _, field in stored_columns()}):
        yield from _below(tenant_folder(folder))


def _below(folder: str) -> Iterator[str]:
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in sorted(folders):
        yield from _below(f"{folder}/{name}")
    for name in sorted(files):
        yield f"{folder}/{name}"
