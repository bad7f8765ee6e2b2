"""A client of the REST API, as a customer's program would have one."""

import time
from collections.abc import Callable
from typing import Any

import httpx

POLL_SECONDS = 0.2


class DemoFailed(Exception):
    """The platform answered otherwise than the demonstration demands."""


class Api:
    """Calls the API with one key; any refusal ends the demonstration."""

    def __init__(self, url: str, key: str) -> None:
        self._http = httpx.Client(
            base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {key}"}, timeout=60, trust_env=False
        )

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    def get(self, path: str, **params: Any) -> Any:
        """Read something."""
        return self._call("GET", path, params=params)

    def post(self, path: str, body: Any = None) -> Any:
        """Send JSON."""
        return self._call("POST", path, json={} if body is None else body)

    def put(self, path: str, body: Any) -> Any:
        """Replace something."""
        return self._call("PUT", path, json=body)

    def upload(self, path: str, *, name: str, content: bytes) -> Any:
        """Send a CSV file under a name."""
        files = {"file": (f"{name}.csv", content, "text/csv")}
        return self._call("POST", path, data={"name": name}, files=files)

    def status_of(self, path: str) -> tuple[int, Any]:
        """Return status and body of a read, whatever they are."""
        answer = self._http.get(path)
        return answer.status_code, answer.json()

    def wait(self, path: str, done: Callable[[Any], bool], *, seconds: float, what: str) -> Any:
        """Read until ``done`` says so; raises DemoFailed after ``seconds``."""
        deadline = time.monotonic() + seconds
        while not done(body := self.get(path)):
            if time.monotonic() > deadline:
                raise DemoFailed(f"Waited {seconds:.0f} s in vain for {what}. Last answer: {body}")
            time.sleep(POLL_SECONDS)
        return body

    def _call(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise DemoFailed(f"{method} {path}: {error}") from error
        if not answer.is_success:
            raise DemoFailed(f"{method} {path} was answered {answer.status_code}: {answer.text}")
        return answer.json()
