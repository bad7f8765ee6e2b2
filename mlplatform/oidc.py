"""The providers of single sign-on, read from the environment.

``ML_OIDC_PROVIDERS=corp`` names them; each has its own variables, here ``ML_OIDC_CORP_ISSUER`` and so on.
"""

import re
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from mlplatform.env import Environment

PROVIDER_ID = re.compile(r"[a-z][a-z0-9]{0,29}")
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
TRUSTED_EMAILS = "trusted_emails"


def oidc_providers(env: Environment) -> list[dict[str, Any]]:
    """Return the providers as django-allauth takes them; raises ImproperlyConfigured."""
    names = env.items("ML_OIDC_PROVIDERS")
    if len(set(names)) < len(names):
        raise ImproperlyConfigured("ML_OIDC_PROVIDERS names a provider twice.")
    return [_provider(env, name) for name in names]


def _provider(env: Environment, name: str) -> dict[str, Any]:
    if not PROVIDER_ID.fullmatch(name):
        raise ImproperlyConfigured(
            f"ML_OIDC_PROVIDERS: {name!r} is no name. Use up to 30 lower-case letters and digits."
        )
    prefix = f"ML_OIDC_{name.upper()}"
    return {
        "provider_id": name,
        "name": env.text(f"{prefix}_NAME", name.capitalize()),
        "client_id": env.text(f"{prefix}_CLIENT_ID"),
        "secret": env.text(f"{prefix}_CLIENT_SECRET"),
        "settings": {
            "server_url": _issuer(env, f"{prefix}_ISSUER"),
            TRUSTED_EMAILS: env.boolean(f"{prefix}_TRUST_EMAILS", False),
        },
    }


def _issuer(env: Environment, variable: str) -> str:
    address = env.text(variable)
    parts = urlsplit(address)
    if not parts.hostname or parts.scheme not in {"http", "https"}:
        raise ImproperlyConfigured(f"{variable}={address!r} is no address. It begins with https://.")
    if parts.scheme == "http" and parts.hostname not in LOCAL:
        raise ImproperlyConfigured(f"{variable}={address!r} is not encrypted. Use https://.")
    return address.rstrip("/")
