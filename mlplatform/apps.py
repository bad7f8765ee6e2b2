"""The project as an app of its own: it holds the platform-wide commands."""

from django.apps import AppConfig


class PlatformConfig(AppConfig):
    """Commands, templates and checks that belong to no single part of the loop."""

    name = "mlplatform"
    label = "mlplatform"
    verbose_name = "Platform"
