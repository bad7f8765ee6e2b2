"""Configuration of the monitoring app."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """The monitoring part of the loop."""

    name = "monitoring"
    verbose_name = "Monitoring"
    default_auto_field = "django.db.models.BigAutoField"
