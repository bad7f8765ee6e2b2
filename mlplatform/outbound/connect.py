"""Sockets to judged addresses, and the end of whatever takes too long."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

from mlplatform.outbound.errors import AddressUnreachable
from mlplatform.outbound.lookup import vetted

CONNECT_SECONDS = 10.0


def open_socket(host: str, port: int, *, seconds: float = CONNECT_SECONDS) -> socket.socket:
    """Return a connected socket; raises AddressRefused or AddressUnreachable."""
    for address in vetted(host, port):
        try:
            return socket.create_connection((address, port), timeout=seconds)
        except OSError:
            continue
    raise unreachable(host, port)


def reachable_address(host: str, port: int, *, seconds: float = CONNECT_SECONDS) -> str:
    """Return one address of the host that answers, for a library that connects by itself; raises the same."""
    with open_socket(host, port, seconds=seconds) as opened:
        return str(opened.getpeername()[0])


def unreachable(host: str, port: int) -> AddressUnreachable:
    """Return the error that says that nobody answers there."""
    return AddressUnreachable(f"Nothing answers at {host}:{port}. Check host and port, and any firewall.")


class Cutter:
    """Cuts connections when their time is over, even where the other side sends one byte a minute."""

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def watch(self, descriptor: int) -> None:
        """Cut the connection of this descriptor, too."""
        self._sockets.append(socket.socket(fileno=os.dup(descriptor)))
        if self.over:
            self._cut()

    def __enter__(self) -> "Cutter":
        """Start the clock."""
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the clock."""
        self._timer.cancel()
        for one in self._sockets:
            one.close()

    def _cut(self) -> None:
        self.over = True
        for one in list(self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextmanager
def cut_after(seconds: float) -> Iterator[Cutter]:
    """Cut the watched connections ``seconds`` from now."""
    with Cutter(seconds) as cutter:
        yield cutter
