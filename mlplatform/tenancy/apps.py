"""Configuration of the tenancy app."""

from importlib import import_module

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from mlplatform.tenancy.binding import bind_connection


class TenancyConfig(AppConfig):
    """Tenants, members, keys and the audit trail."""

    name = "mlplatform.tenancy"
    label = "tenancy"
    verbose_name = "Tenancy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Raise the second wall, register the checks and what listens to sign-ins: all need the models."""
        import_module("mlplatform.tenancy.walls").raise_walls()
        import_module("mlplatform.tenancy.checks")
        connection_created.connect(bind_connection, dispatch_uid="tenant binding")
        import_module("mlplatform.tenancy.sign_ins")
