"""Secrets of the platform itself, sealed under the master key: wrapped data keys, second factors of accounts.

What belongs to a tenant is sealed under the tenant's own key instead: ``tenancy/services/data_keys.py``.
"""

from django.conf import settings

from mlplatform.sealing.errors import KeyNotFound
from mlplatform.sealing.keys import derived_key, fingerprint
from mlplatform.sealing.texts import key_id_of, open_text, seal_text


def seal(text: str, *, purpose: str) -> str:
    """Return the text encrypted under the current master key.

    ``purpose`` says what it is and whose, for example ``totp of account 7``; the same is needed to open it.
    """
    key = _master_keys()[0]
    return seal_text(text, key=key, key_id=fingerprint(key), context=purpose)


def unseal(sealed: str, *, purpose: str) -> str:
    """Return the text, whichever of the master keys sealed it.

    Raises NotSealed, KeyNotFound, or SealBroken where it was changed or sealed for another purpose.
    """
    return open_text(sealed, key_of=_master_key, context=purpose)


def reseal(sealed: str, *, purpose: str) -> str:
    """Return the text under the current master key, the same where it is; raises what ``unseal`` does."""
    return sealed if is_current(sealed) else seal(unseal(sealed, purpose=purpose), purpose=purpose)


def is_current(sealed: str) -> bool:
    """Tell whether the text is sealed under the current master key; raises NotSealed."""
    return key_id_of(sealed) == fingerprint(_master_keys()[0])


def _master_keys() -> list[bytes]:
    return [derived_key(secret.encode(), info=b"mlplatform master key") for secret in settings.MASTER_KEYS]


def _master_key(key_id: str) -> bytes:
    for key in _master_keys():
        if fingerprint(key) == key_id:
            return key
    raise KeyNotFound(
        f"Master key {key_id} is not there. Add it to ML_MASTER_KEYS, behind the current one, or restore the "
        "file master_key of the data folder."
    )
