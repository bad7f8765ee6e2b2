"""Authorities whose certificates a tenant's own servers show, and what is told of a refused one."""

import os
import re
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from training.errors import InvalidSource, SourceDown

LONGEST = 20_000  # characters
# How libpq and Python's ssl tell of what they do not trust, and of a server that does not encrypt.
UNTRUSTED = re.compile(r"certificate[ _]verify[ _]failed|server certificate for", re.IGNORECASE)
UNENCRYPTED = re.compile(r"does not support SSL|SSL is required but|server doesn't support it", re.IGNORECASE)
REASON = re.compile(r"certificate verify failed: ([^(\n]+)", re.IGNORECASE)


def check_authority(pem: str) -> None:
    """Raise InvalidSource for what is no certificate, or holds a private key."""
    if "PRIVATE KEY" in pem:
        raise _wrong("This holds a private key, which belongs to the authority alone. Give its certificate.")
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
        ssl.create_default_context(cadata=pem)
    except (ValueError, ssl.SSLError) as error:
        raise _wrong(
            "This is no certificate in PEM form. It begins with -----BEGIN CERTIFICATE-----."
        ) from error
    if not found:
        raise _wrong("There is no certificate in it.")


def authority_words(pem: str) -> list[str]:
    """Return each certificate in a line: whose it is, until when, and its fingerprint."""
    return [
        f"{one.subject.rfc4514_string()}, until {one.not_valid_after_utc:%Y-%m-%d}, "
        f"SHA-256 {one.fingerprint(SHA256()).hex(':', 2)}"
        for one in x509.load_pem_x509_certificates(pem.encode())
    ]


@contextmanager
def authority_file(pem: str) -> Iterator[str]:
    """Give the name of a file with the certificates, for a library that takes nothing else."""
    descriptor, name = tempfile.mkstemp(prefix="authority-", suffix=".pem")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(pem)
        yield name
    finally:
        Path(name).unlink()


def refusal(error: BaseException, *, own_authority: bool) -> SourceDown | None:
    """Return what is to be told where the other side's certificate was not accepted, else None."""
    text = str(error)
    if UNENCRYPTED.search(text):
        sentence = "The database does not encrypt connections, so no password was sent. Switch TLS on there."
        return SourceDown(sentence, code="no_tls", fields={"tls": [sentence]})
    if not UNTRUSTED.search(text):
        return None
    reason = REASON.search(text)
    if reason is not None:
        why = reason.group(1).strip().rstrip(".")
    elif "does not match" in text:
        why = "it is another host's"
    else:
        why = "it is not signed by an authority that is trusted here, or its time is over"
    hint = (
        "Check the host's name, and that the given authority signed it."
        if own_authority
        else "Check the host's name. Where an authority of your own signed it, give that one's certificate."
    )
    sentence = f"The database's certificate is not accepted: {why}. No password was sent. {hint}"
    return SourceDown(sentence, code="certificate_refused", fields={"ca_certificate": [sentence]})


def _wrong(sentence: str) -> InvalidSource:
    return InvalidSource(sentence, fields={"ca_certificate": [sentence]})
