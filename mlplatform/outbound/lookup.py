"""Looking a host up once, and judging every address that it has."""

import ipaddress
import re
import socket
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings

from mlplatform.outbound.errors import AddressRefused, AddressUnreachable
from mlplatform.outbound.policy import (
    FIRST_FREE_PORT,
    NOT_HTTP,
    WEB_PORTS,
    Policy,
    is_public,
    unwrapped,
)

NAME = re.compile(r"[a-z0-9_]([a-z0-9_.\-]{0,252}[a-z0-9_])?")
DEFAULT_PORTS = {"postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379, "amqp": 5672}
ASK = "If it is meant, ask the platform's operator to name it in ML_OUTBOUND_HOSTS."


def current_policy() -> Policy:
    """Return what the settings allow."""
    urls = (settings.DATABASE_URL, settings.CELERY_BROKER_URL, settings.CACHE_URL or "")
    return _policy(tuple(settings.OUTBOUND_HOSTS), urls)


@lru_cache(maxsize=8)
def _policy(hosts: tuple[str, ...], urls: tuple[str, ...]) -> Policy:
    return Policy.of(hosts, filter(None, map(_service, urls)))


def _service(url: str) -> tuple[str, int] | None:
    parts = urlsplit(url)
    port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    if port is None:
        return None
    host = (parts.hostname or "localhost").lower()
    return ("localhost" if "%2f" in host else host), port  # a folder stands for a local socket


def plain_host(host: str) -> str:
    """Return the host in lower case and ASCII, without brackets and last dot; raises AddressRefused."""
    name = host.strip().lower().rstrip(".")
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        ascii_name = name.encode("idna").decode() if name else ""
    except UnicodeError:
        ascii_name = ""
    if not NAME.fullmatch(ascii_name):
        raise AddressRefused(f"{host[:80]!r} is no host. Give a name such as db.example.com, or an address.")
    return ascii_name


def vetted(host: str, port: int, policy: Policy | None = None) -> list[str]:
    """Look the host up, once, and return its addresses, each of which may be connected to.

    Whoever connects must use these and not look the name up again: it may lead elsewhere by then. Raises
    AddressRefused where one of them is private, the host's own, or the platform's; AddressUnreachable
    where the name has no address.
    """
    policy = policy or current_policy()
    name = plain_host(host)
    if not 0 < port < 65_536:
        raise AddressRefused(f"{port} is no port. It is a number from 1 to 65535.")
    found = _looked_up(name, port)
    named = policy.names(name, port)
    own = _own_addresses(policy, port)
    for text in found:
        address = ipaddress.ip_address(text)
        if not (named or is_public(address) or policy.holds(unwrapped(address))):
            raise AddressRefused(f"{name} leads to an address inside ({text}), which is not open. {ASK}")
        # Whoever can connect to any address of this machine reaches its services by each of them.
        if own and not policy.names_exactly(name, port) and _is_one_of(address, own):
            raise AddressRefused(
                f"{name}:{port} is a service of the platform itself, which holds every tenant's data. {ASK}"
            )
    return found


def check_web_port(host: str, port: int, policy: Policy | None = None) -> None:
    """Raise AddressRefused for a port at which no web server answers, unless the operator named it."""
    policy = policy or current_policy()
    ordinary = port in WEB_PORTS or (port >= FIRST_FREE_PORT and port not in NOT_HTTP)
    if not ordinary and not policy.names_exactly(plain_host(host), port):
        raise AddressRefused(f"Port {port} is no web server's. {ASK}")


def _looked_up(name: str, port: int) -> list[str]:
    try:
        answers = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressUnreachable(f"There is no host {name!r}. Check the spelling.") from error
    return list(dict.fromkeys(str(answer[4][0]).partition("%")[0] for answer in answers))


def _own_addresses(policy: Policy, port: int) -> set[str]:
    found: set[str] = set()
    for host, own_port in policy.own:
        if own_port == port:
            try:
                found.update(_looked_up(host, port))
            except AddressUnreachable:  # then nobody reaches it by this name, the platform included
                continue
    return found


def _is_one_of(address: ipaddress.IPv4Address | ipaddress.IPv6Address, own: set[str]) -> bool:
    inner = unwrapped(address)
    others = {unwrapped(ipaddress.ip_address(text)) for text in own}
    here = any(other.is_loopback for other in others)
    return inner in others or (here and (inner.is_loopback or inner.is_unspecified or _is_mine(str(inner))))


def _is_mine(address: str) -> bool:
    """Tell whether an interface of this machine has the address: only then can a socket be bound to it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
