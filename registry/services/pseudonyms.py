"""The active tenant's pseudonyms. Their key is never rotated: with another, nobody would be found again."""

from collections.abc import Sequence

from mlplatform.tenancy.models import KeyPurpose
from mlplatform.tenancy.services.data_keys import current_key
from registry.privacy.pseudonyms import is_pseudonym, pseudonym
from registry.privacy.treatment import Marks, Treater


def pseudonym_key() -> bytes:
    """Return the key of the tenant's pseudonyms, made when it is first needed."""
    return current_key(KeyPurpose.PSEUDONYMS).secret


def entity_pseudonym(key: str) -> str:
    """Return the pseudonym of the client's name for a case; an empty name, and a pseudonym, stay."""
    return entity_pseudonyms([key])[0]


def entity_pseudonyms(keys: Sequence[str]) -> list[str]:
    """Return the cases' pseudonyms; the tenant's key is fetched once, and only where it is needed."""
    if all(not key or is_pseudonym(key) for key in keys):
        return list(keys)
    secret = pseudonym_key()
    return [pseudonym(key, secret) if key else "" for key in keys]


def treater(marks: Marks) -> Treater:
    """Return what treats rows by these marks; without a mark, no key is fetched."""
    return Treater(marks, pseudonym_key() if marks else b"")
