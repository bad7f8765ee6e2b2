"""Configuration of the identity app."""

from importlib import import_module

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    """How people prove who they are: passwords, second factors, passkeys, single sign-on."""

    name = "mlplatform.identity"
    label = "identity"
    verbose_name = "Identity"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to what the sign-in libraries tell: it needs their models."""
        import_module("mlplatform.identity.events")
