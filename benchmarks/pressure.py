"""As many requests as a server answers over a few connections, from one cheap loop, the same for all."""

import json
import selectors
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

TIMEOUT = 30.0


@dataclass
class Pressed:
    """What came back in the seconds measured, and after how many milliseconds each."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Good answers in a second."""
        return self.statuses[200] / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """The time within which this share was answered, in milliseconds."""
        ordered = sorted(self.milliseconds) or [float("nan")]
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def post(port: int, path: str, body: Any, headers: dict[str, str] | None = None) -> bytes:
    """Return a whole HTTP/1.1 request with JSON, ready to be sent."""
    content = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(content)}", *(f"{name}: {it}" for name, it in (headers or {}).items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


class _Caller:
    """One connection: one request at a time, the next as soon as the answer is whole."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.began = 0.0
        self.read = b""

    def send(self, request: bytes) -> None:
        self.began = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """Return the status once the whole answer has come, else None; raises where the server hangs up."""
        part = self.socket.recv(65_536)
        if not part:
            raise ConnectionError("The server closed the connection.")
        self.read += part
        head, found, content = self.read.partition(b"\r\n\r\n")
        if not found:
            return None
        lower = head.lower()
        place = lower.find(b"content-length:")
        if place >= 0:
            whole = len(content) >= int(lower[place + 15 :].split(b"\r\n", 1)[0])
        else:
            whole = content.endswith(b"0\r\n\r\n")
        if not whole:
            return None
        status = int(head[9:12])
        self.read = b""
        return status


def press(port: int, requests: list[bytes], *, connections: int, seconds: float) -> Pressed:
    """Send the requests in turn over so many connections for so long; raises OSError where one breaks."""
    pressed, callers = Pressed(), [_Caller(port) for _ in range(connections)]
    selector, place = selectors.DefaultSelector(), 0
    for caller in callers:
        selector.register(caller.socket, selectors.EVENT_READ, caller)
        caller.send(requests[place % len(requests)])
        place += 1
    began = time.perf_counter()
    ends = began + seconds
    while (now := time.perf_counter()) < ends:
        for key, _ in selector.select(TIMEOUT):
            caller = key.data
            status = caller.receive()
            if status is None:
                continue
            now = time.perf_counter()
            pressed.statuses[status] += 1
            pressed.milliseconds.append((now - caller.began) * 1000)
            caller.send(requests[place % len(requests)])
            place += 1
    pressed.seconds = now - began
    for caller in callers:
        caller.socket.close()
    selector.close()
    return pressed
