"""How an account signs in, as its administrators see it."""

from typing import Any

from mlplatform.admin.parts import Badge
from mlplatform.identity.lockout import locked_addresses
from mlplatform.identity.services.second_factors import factors_of
from mlplatform.tenancy.models import User


def sign_in_facts(user: User) -> list[tuple[str, Any]]:
    """Return the account's second factors, and from where it is locked."""
    factors, locked = factors_of(user), locked_addresses(user)
    held = ["authenticator app"] if factors["authenticator_app"] else []
    held += [f"passkey {name}" for name in factors["passkeys"]]
    return [
        ("Second factors", held or "none"),
        ("Locked", Badge(f"After wrong answers from {', '.join(locked)}", "bad") if locked else "no"),
    ]
