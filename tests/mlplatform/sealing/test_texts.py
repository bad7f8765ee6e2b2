"""Sealed texts open with their key and in their place alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlplatform.sealing.errors import KeyNotFound, NotSealed, SealBroken
from mlplatform.sealing.keys import derived_key, fingerprint, new_key
from mlplatform.sealing.texts import key_id_of, open_text, seal_text

KEY = new_key()


def sealed(text: str = "swordfish", *, context: str = "password of source 7") -> str:
    return seal_text(text, key=KEY, key_id="k1", context=context)


def opened(token: str, *, key: bytes = KEY, context: str = "password of source 7") -> str:
    return open_text(token, key_of=lambda _: key, context=context)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_every_text_comes_back(text: str) -> None:
    assert opened(sealed(text)) == text


def test_the_same_text_never_looks_the_same() -> None:
    assert sealed() != sealed()
    assert "swordfish" not in sealed()


def test_another_place_or_key_does_not_open_it() -> None:
    with pytest.raises(SealBroken):
        opened(sealed(), context="password of source 8")
    with pytest.raises(SealBroken):
        opened(sealed(), key=new_key())


def test_no_character_can_be_changed() -> None:
    token = sealed("ab")
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises((SealBroken, NotSealed)):
            opened(changed)


@pytest.mark.parametrize("text", ["", "swordfish", "s1", "s1.k1", "s2.k1.AAAA"])
def test_what_was_never_sealed_is_told(text: str) -> None:
    with pytest.raises(NotSealed):
        opened(text)


@pytest.mark.parametrize("rest", ["", "AA", "*", "ä", "AAAAA", "A" * 100])
def test_what_is_too_short_or_no_base64_is_told(rest: str) -> None:
    with pytest.raises(SealBroken):
        opened(f"s1.k1.{rest}")


def test_the_key_is_asked_for_by_its_name() -> None:
    assert key_id_of(sealed()) == "k1"

    def none(key_id: str) -> bytes:
        raise KeyNotFound(key_id)

    with pytest.raises(KeyNotFound, match="k1"):
        open_text(sealed(), key_of=none, context="password of source 7")


def test_derived_keys_differ_by_use_and_are_repeatable() -> None:
    assert derived_key(b"secret", info=b"a") == derived_key(b"secret", info=b"a")
    assert derived_key(b"secret", info=b"a") != derived_key(b"secret", info=b"b")
    assert derived_key(b"secret", info=b"a") != derived_key(b"secret", info=b"a", salt=b"s")


def test_a_fingerprint_tells_keys_apart_and_nothing_else() -> None:
    assert fingerprint(KEY) == fingerprint(KEY)
    assert fingerprint(KEY) != fingerprint(new_key())
    assert len(fingerprint(KEY)) == 8
