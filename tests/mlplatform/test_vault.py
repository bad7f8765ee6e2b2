"""Secrets of the platform itself."""

import pytest
from pytest_django import Settings

from mlplatform.sealing.errors import KeyNotFound, NotSealed, SealBroken
from mlplatform.vault import is_current, seal, unseal

OLD, NEW = "o" * 40, "n" * 40


def test_a_secret_comes_back_for_its_purpose_alone() -> None:
    sealed = seal("swordfish", purpose="totp of account 7")
    assert unseal(sealed, purpose="totp of account 7") == "swordfish"
    with pytest.raises(SealBroken):
        unseal(sealed, purpose="totp of account 8")


def test_an_older_master_key_still_opens_and_the_first_one_seals(settings: Settings) -> None:
    settings.MASTER_KEYS = [OLD]
    before = seal("swordfish", purpose="p")
    settings.MASTER_KEYS = [NEW, OLD]
    after = seal("swordfish", purpose="p")
    assert (is_current(before), is_current(after)) == (False, True)
    assert unseal(before, purpose="p") == unseal(after, purpose="p") == "swordfish"
    settings.MASTER_KEYS = [NEW]
    assert unseal(after, purpose="p") == "swordfish"


def test_a_lost_master_key_is_told_without_showing_one(settings: Settings) -> None:
    settings.MASTER_KEYS = [OLD]
    sealed = seal("swordfish", purpose="p")
    settings.MASTER_KEYS = [NEW]
    with pytest.raises(KeyNotFound, match="ML_MASTER_KEYS") as caught:
        unseal(sealed, purpose="p")
    assert OLD not in str(caught.value)
    assert NEW not in str(caught.value)


def test_a_secret_in_the_clear_is_refused() -> None:
    with pytest.raises(NotSealed):
        unseal("swordfish", purpose="p")
