"""Servers in a thread that speak TLS as databases do, with certificates made for the test."""

import ipaddress
import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PATIENCE = 10.0
DAY = timedelta(days=1)
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
REACHED = "this far and no farther"
MYSQL_SSL, MYSQL_USUAL = 0x0800, 0x0200 | 0x8000 | 0x0008
PLUGIN_AUTH = 0x0008 << 16


@dataclass(frozen=True)
class Authority:
    """One who signs certificates: its own, as text, and its key."""

    pem: str
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@lru_cache
def authority(name: str = "clinic") -> Authority:
    """Make an authority that nobody else knows."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = _builder(name, name, key, days=30).add_extension(x509.BasicConstraints(True, None), critical=True)
    certificate = made.sign(key, hashes.SHA256())
    return Authority(certificate.public_bytes(serialization.Encoding.PEM).decode(), certificate, key)


def signed_by(who: Authority, host: str, *, days: int = 30) -> ssl.SSLContext:
    """Return what a server of this host shows: a certificate of the authority, valid for ``days`` more."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = who.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    made = _builder(host, str(issuer), key, days=days).add_extension(
        x509.SubjectAlternativeName([_name(host)]), critical=False
    )
    certificate = made.sign(who.key, hashes.SHA256())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        shown, secret = Path(folder, "certificate"), Path(folder, "key")
        shown.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context.load_cert_chain(shown, secret)
    return context


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _builder(
    subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, *, days: int
) -> x509.CertificateBuilder:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 60 * DAY)
        .not_valid_after(now + days * DAY)
    )


@dataclass
class Database:
    """A server that goes as far as the handshake: its port, and what clients told it after that."""

    port: int
    engine: str
    told: list[bytes] = field(default_factory=list)

    @property
    def place(self) -> dict[str, object]:
        """Settings that lead there."""
        return {
            "engine": self.engine,
            "host": "127.0.0.1",
            "port": self.port,
            "database": "clinic",
            "username": "reader",
            "query": "select 1 as a",
        }


def postgres(channel: socket.socket, shown: ssl.SSLContext | None) -> bytes:
    """Speak as PostgreSQL does: asked for TLS, agree or decline; then refuse whoever comes."""
    asked = channel.recv(8)
    assert asked == SSL_REQUEST
    if shown is None:
        channel.sendall(b"N")
        return channel.recv(1000)
    channel.sendall(b"S")
    with shown.wrap_socket(channel, server_side=True) as safe:
        told = safe.recv(1000)
        parts = b"SFATAL\0C28000\0M" + REACHED.encode() + b"\0\0"
        safe.sendall(b"E" + struct.pack("!i", len(parts) + 4) + parts)
    return told


def mysql(channel: socket.socket, shown: ssl.SSLContext | None) -> bytes:
    """Speak as MySQL does: offer TLS or not; then refuse whoever comes."""
    offers = MYSQL_USUAL | PLUGIN_AUTH | (MYSQL_SSL if shown else 0)
    greeting = b"\x0a8.0.36\0" + struct.pack("<i", 7) + b"saltsalt\0" + struct.pack("<H", offers & 0xFFFF)
    greeting += b"\x2d\x02\0" + struct.pack("<H", offers >> 16) + bytes([21]) + bytes(10) + b"saltsaltsalt\0"
    greeting += b"mysql_native_password\0"
    channel.sendall(_packet(greeting, 0))
    if shown is None:
        return channel.recv(1000)
    channel.recv(36)  # the wish for TLS
    with shown.wrap_socket(channel, server_side=True) as safe:
        told = safe.recv(1000)
        safe.sendall(_packet(b"\xff" + struct.pack("<H", 1045) + b"#28000" + REACHED.encode(), 3))
    return told


def _packet(payload: bytes, number: int) -> bytes:
    return struct.pack("<I", len(payload))[:3] + bytes([number]) + payload


SPEAK: dict[str, Callable[[socket.socket, ssl.SSLContext | None], bytes]] = {
    "postgresql": postgres,
    "mysql": mysql,
}


@contextmanager
def database(engine: str, shown: ssl.SSLContext | None) -> Iterator[Database]:
    """Serve until the block ends; without ``shown`` the server does not encrypt."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        served = Database(listening.getsockname()[1], engine)

        def serve() -> None:
            with suppress(OSError):  # the listening socket was closed: it is over
                while True:
                    channel, _ = listening.accept()
                    channel.settimeout(PATIENCE)
                    with channel, suppress(OSError, AssertionError):  # who only looked, or does not trust us
                        served.told.append(SPEAK[engine](channel, shown))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield served
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(PATIENCE)
