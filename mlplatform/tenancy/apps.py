"""Configuration of the tenancy app."""

from importlib import import_module

from django.apps import AppConfig


class TenancyConfig(AppConfig):
    """Tenants, members, keys and the audit trail."""

    name = "mlplatform.tenancy"
    label = "tenancy"
    verbose_name = "Tenancy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks and what listens to sign-ins, which need the models to be loaded."""
        import_module("mlplatform.tenancy.checks")
        import_module("mlplatform.tenancy.sign_ins")
