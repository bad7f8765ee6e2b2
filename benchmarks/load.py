"""Clients of the API for measurements: cheap ones, so that they do not measure themselves."""

import http.client
import json
import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

FORM = "platform-benchmark-form"


@dataclass(frozen=True)
class Request:
    """One request, ready to be sent."""

    method: str
    path: str
    body: bytes = b""
    media_type: str = "application/json"

    @classmethod
    def of(cls, path: str, body: Any) -> "Request":
        """Return a POST of JSON."""
        return cls("POST", path, json.dumps(body).encode())

    @classmethod
    def upload(cls, path: str, name: str, content: bytes) -> "Request":
        """Return a POST of a form with a CSV file."""
        parts = (
            f'--{FORM}\r\nContent-Disposition: form-data; name="name"\r\n\r\n{name}\r\n'
            f'--{FORM}\r\nContent-Disposition: form-data; name="file"; filename="{name}.csv"\r\n\r\n'
        ).encode()
        body = parts + content + f"\r\n--{FORM}--\r\n".encode()
        return cls("POST", path, body, f"multipart/form-data; boundary={FORM}")


class Client:
    """One connection, kept open, with one API key."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Authorization": f"Bearer {key}"}

    def send(self, request: Request) -> int:
        """Send the request, read the whole answer, and return its status."""
        headers = self._headers | {"Content-Type": request.media_type}
        try:
            self._connection.request(request.method, f"/api/v1{request.path}", request.body, headers)
            answer = self._connection.getresponse()
            answer.read()
        except (http.client.HTTPException, OSError):
            self._connection.close()
            raise
        return answer.status


@dataclass
class Measured:
    """What came back, and after how many milliseconds."""

    statuses: Counter[int] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """Return the time within which this share of the requests was answered."""
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def ask_steadily(
    client: Client, requests: Sequence[Request], *, per_second: float, seconds: float
) -> Measured:
    """Send the requests in turn at a steady pace; each answer's time counts from when it was due."""
    measured, began = Measured(), time.perf_counter()
    for place in range(int(per_second * seconds)):
        due = began + place / per_second
        time.sleep(max(0.0, due - time.perf_counter()))
        status = client.send(requests[place % len(requests)])
        measured.statuses[status] += 1
        measured.milliseconds.append((time.perf_counter() - due) * 1000)
    return measured


class Flood:
    """A program that runs wild, in a process of its own: some connections, each at a steady pace."""

    def __init__(
        self, port: int, key: str, requests: Sequence[Request], *, per_second: float, connections: int = 4
    ) -> None:
        self._stop = multiprocessing.Event()
        self._result: multiprocessing.Queue[Counter[int | str]] = multiprocessing.Queue()
        arguments = (port, key, requests, per_second, connections, self._stop, self._result)
        self._process = multiprocessing.Process(target=_flood, args=arguments, daemon=True)

    def __enter__(self) -> "Flood":
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.statuses = self._result.get(timeout=90)
        self._process.join(timeout=30)


def _flood(
    port: int,
    key: str,
    requests: Sequence[Request],
    per_second: float,
    connections: int,
    stop: Any,
    result: Any,
) -> None:
    statuses: Counter[int | str] = Counter()

    def run(first: int) -> None:
        client, place, began = Client(port, key), first, time.perf_counter()
        while not stop.wait(max(0.0, began + (place - first) / per_second - time.perf_counter())):
            try:
                statuses[client.send(requests[place % len(requests)])] += 1
            except (OSError, http.client.HTTPException) as error:
                statuses[type(error).__name__] += 1
            place += connections

    threads = [threading.Thread(target=run, args=(first,)) for first in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result.put(statuses)
