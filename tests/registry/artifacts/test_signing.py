"""Nothing is parsed that was not sealed by this installation for this owner."""

from dataclasses import replace

import pytest

from registry.artifacts.signing import seal, verify
from registry.errors import ArtifactCorrupt

DATA = b"trained pipeline"
SEALED = seal(DATA, key="secret", owner="tenant:1")


def test_sealed_bytes_pass() -> None:
    verify(DATA, SEALED, keys=["secret"], owner="tenant:1")


@pytest.mark.parametrize("data", [DATA + b"!", DATA[:-1], b""])
def test_changed_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ArtifactCorrupt, match="content has changed"):
        verify(data, SEALED, keys=["secret"], owner="tenant:1")


def test_a_right_hash_without_the_key_is_refused() -> None:
    forged = seal(DATA, key="guessed", owner="tenant:1")
    assert forged.sha256 == SEALED.sha256
    with pytest.raises(ArtifactCorrupt, match="not signed with this installation's key"):
        verify(DATA, forged, keys=["secret"], owner="tenant:1")


def test_a_seal_is_worth_nothing_for_another_tenant() -> None:
    with pytest.raises(ArtifactCorrupt):
        verify(DATA, SEALED, keys=["secret"], owner="tenant:2")


def test_an_empty_signature_is_refused() -> None:
    with pytest.raises(ArtifactCorrupt):
        verify(DATA, replace(SEALED, signature=""), keys=["secret"], owner="tenant:1")


def test_an_earlier_key_still_vouches() -> None:
    verify(DATA, SEALED, keys=["new", "secret"], owner="tenant:1")
    with pytest.raises(ArtifactCorrupt, match="ML_ARTIFACT_KEY_FALLBACKS"):
        verify(DATA, SEALED, keys=["new"], owner="tenant:1")
