"""Addresses of the console's pages."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import Model
from django.urls import NoReverseMatch, reverse


def page_url(row: Model) -> str:
    """Return the address of the object's page."""
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def list_url(table: str, **filters: Any) -> str:
    """Return the address of a list such as ``registry.dataset``, filtered where filters are given."""
    app_label, _, model = table.partition(".")
    address = reverse(f"admin:{app_label}_{model}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address


def add_url(table: str, **initial: Any) -> str:
    """Return the address of the form that adds a row, with values filled in."""
    app_label, _, model = table.partition(".")
    address = reverse(f"admin:{app_label}_{model}_add")
    return f"{address}?{urlencode(initial)}" if initial else address


def command_url(row: Model, slug: str) -> str:
    """Return the address of one of the object's commands, such as ``promote``."""
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{slug}", args=[row.pk])


def history_url(table: str, key: str) -> str:
    """Return the address of the history of an object, of a table such as ``registry.dataset``."""
    app_label, _, model = table.partition(".")
    return reverse(f"admin:{app_label}_{model}_history", args=[key])


def list_command_url(table: str, slug: str) -> str:
    """Return the address of a command of a whole list, such as ``import``."""
    app_label, _, model = table.partition(".")
    return reverse(f"admin:{app_label}_{model}_{slug}")


def has_page(row: Model) -> bool:
    """Tell whether the console has a page for this kind of object."""
    try:
        page_url(row)
    except NoReverseMatch:
        return False
    return True
