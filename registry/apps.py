"""Configuration of the registry app."""

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """The registry part of the loop."""

    name = "registry"
    verbose_name = "Registry"
    default_auto_field = "django.db.models.BigAutoField"
