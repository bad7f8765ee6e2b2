"""A passkey in software: makes credentials and signs challenges as a phone or a security key does."""

import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40
AAGUID = bytes(16)


@dataclass
class Passkey:
    """One key pair, for one site, on one device."""

    origin: str = "https://testserver"
    verifies: bool = True  # a finger, a face or a PIN was asked for
    identifier: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    user_handle: str = ""
    count: int = 0

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: dict[str, Any]) -> str:
        """Answer the question for a new credential; return what the page would send."""
        asked = options["publicKey"]
        self.user_handle = asked["user"]["id"]
        client = self._client_data("webauthn.create", asked["challenge"])
        key = ES256.from_cryptography_key(self._key.public_key())  # type: ignore[no-untyped-call]  # theirs
        public = cbor.encode(dict(key))
        credential = AAGUID + struct.pack(">H", len(self.identifier)) + self.identifier + public
        data = self._authenticator_data(asked["rp"]["id"], ATTESTED) + credential
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        answer = {
            "clientDataJSON": websafe_encode(client),
            "attestationObject": websafe_encode(attestation),
            "transports": ["internal"],
        }
        return self._credential(answer, {"credProps": {"rk": True}})

    def get(self, options: dict[str, Any]) -> str:
        """Sign the challenge; return what the page would send."""
        asked = options["publicKey"]
        client = self._client_data("webauthn.get", asked["challenge"])
        data = self._authenticator_data(asked["rpId"], 0)
        signed = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        answer = {
            "clientDataJSON": websafe_encode(client),
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(signed),
            "userHandle": self.user_handle,
        }
        return self._credential(answer, {})

    def _client_data(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _authenticator_data(self, site: str, flags: int) -> bytes:
        self.count += 1
        flags |= USER_PRESENT | (USER_VERIFIED if self.verifies else 0)
        return hashlib.sha256(site.encode()).digest() + struct.pack(">BI", flags, self.count)

    def _credential(self, answer: dict[str, Any], extensions: dict[str, Any]) -> str:
        name = websafe_encode(self.identifier)
        return json.dumps(
            {
                "type": "public-key",
                "id": name,
                "rawId": name,
                "authenticatorAttachment": "platform",
                "response": answer,
                "clientExtensionResults": extensions,
            }
        )


def same_challenge(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Tell whether two questions ask for the same signature."""
    return websafe_decode(one["publicKey"]["challenge"]) == websafe_decode(other["publicKey"]["challenge"])
