"""Configuration of the monitoring app."""

from django.apps import AppConfig

from monitoring.receivers import settle_later
from registry.signals import version_registered


class MonitoringConfig(AppConfig):
    """The monitoring part of the loop."""

    name = "monitoring"
    verbose_name = "Monitoring"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen for new versions."""
        version_registered.connect(settle_later, dispatch_uid="monitoring.settle_later")
