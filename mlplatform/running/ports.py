"""Questions about network ports of this machine."""

import socket

from mlplatform.running.errors import PortTaken

LOOPBACK = "127.0.0.1"
EVERY_ADDRESS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104  # compared with, never bound to


def free_port(host: str = LOOPBACK) -> int:
    """Return a port of ``host`` on which nothing listens at this moment."""
    with socket.socket(_family(host), socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def refuse_taken_port(host: str, port: int) -> None:
    """Raise PortTaken where ``host:port`` cannot be bound.

    The web server shares its port between its workers (SO_REUSEPORT), so a second one would start
    without a word and answer every other request; this question, asked without sharing, finds it.
    """
    with socket.socket(_family(host), socket.SOCK_STREAM) as probe:
        # Connections in TIME_WAIT of the server that has just been stopped are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(host, port) from error


def reachable_url(host: str, port: int) -> str:
    """Return the address under which this machine reaches a server bound to ``host:port``."""
    shown = LOOPBACK if host in EVERY_ADDRESS else host
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
