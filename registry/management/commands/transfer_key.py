"""The key by which other installations know this one's archives."""

from typing import Any

from django.conf import settings

from mlplatform.management.base import PlatformCommand
from registry.exchange.installations import public_key
from registry.services.model_import import trusted_installations


class Command(PlatformCommand):
    """Prints the public key of this installation."""

    help = (
        "Print the public key under which this installation signs models that are exported. Another one "
        "takes them once its operator has put NAME=KEY into ML_TRUSTED_INSTALLATIONS there. It is no secret."
    )
    example = "python manage.py transfer_key"

    def run(self, **options: Any) -> dict[str, Any]:
        """Return the key, and whom this installation trusts."""
        trusted = trusted_installations()
        return {"key": public_key(settings.ARTIFACT_KEY), "trusted": sorted(set(trusted.values()))}
