"""Configuration of the registry app."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class RegistryConfig(AppConfig):
    """The registry part of the loop."""

    name = "registry"
    verbose_name = "Registry"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Learn from each app how long its things are kept."""
        autodiscover_modules("retention")
