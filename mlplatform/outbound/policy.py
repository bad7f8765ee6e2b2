"""Which addresses may be opened: everything public, and of what is inside only what the operator names."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
NAT64 = IPv6Network("64:ff9b::/96")
# What speaks no HTTP, yet does what it is told in lines of text.
NOT_HTTP = frozenset({1433, 1521, 2049, 3306, 3389, 4369, 5432, 5672, 6379, 6432, 11211, 25672, 27017})
WEB_PORTS = frozenset({80, 443})
FIRST_FREE_PORT = 1024


@dataclass(frozen=True)
class Policy:
    """What an operator allows beyond public addresses, and where the platform's own services are.

    ``hosts`` are names or addresses, with or without a port (``db.example.internal``, ``10.0.0.5:5432``);
    ``networks`` such as ``10.1.0.0/16``. ``own`` are (host, port) of the platform's database, broker and
    cache: nobody reaches them who is not named in ``hosts`` together with the very port.
    """

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    own: frozenset[tuple[str, int]] = field(default=frozenset(), repr=False)

    @classmethod
    def of(cls, entries: Iterable[str], own: Iterable[tuple[str, int]] = ()) -> "Policy":
        """Return the policy of the operator's list; raises ValueError for a network that is none."""
        hosts, networks = set(), []
        for entry in entries:
            if "/" in entry:
                networks.append(ipaddress.ip_network(entry))
            else:
                hosts.add(entry.lower().rstrip("."))
        return cls(frozenset(hosts), tuple(networks), frozenset(own))

    def names(self, host: str, port: int) -> bool:
        """Tell whether the operator named the host, or this port of it."""
        return host in self.hosts or self.names_exactly(host, port)

    def names_exactly(self, host: str, port: int) -> bool:
        """Tell whether the operator named this very port of the host."""
        return f"{host}:{port}" in self.hosts or f"[{host}]:{port}" in self.hosts

    def holds(self, address: Address) -> bool:
        """Tell whether the address lies in a network that the operator named."""
        return any(address in network for network in self.networks if network.version == address.version)

    def trusts(self, host: str, port: int) -> bool:
        """Tell whether the host, as it was written, is one of the operator's."""
        if self.names(host, port):
            return True
        try:
            return self.holds(ipaddress.ip_address(host))
        except ValueError:
            return False


def is_public(address: Address) -> bool:
    """Tell whether the address belongs to the whole world, whatever it is wrapped in."""
    inner = unwrapped(address)
    return inner.is_global and not (inner.is_multicast or inner.is_reserved or inner.is_unspecified)


def unwrapped(address: Address) -> Address:
    """Return the address of version 4 that one of version 6 carries, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)
