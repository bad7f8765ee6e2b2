"""Sends requests and judges every answer, and every log line on the way: nothing of theirs, no breakdown."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.test import Client

from tests.isolation.worlds import World

JSON = "application/json"


class Lines(logging.Handler):
    """Keeps the lines that are logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line, with its traceback."""
        self.lines.append(self.format(record))

    def take(self) -> str:
        """Return what was logged since the last time."""
        taken, self.lines = "\n".join(self.lines), []
        return taken


class Crawler:
    """One principal's way through the platform; ``findings`` holds what must not be."""

    def __init__(self, world: World, client: Client, name: str) -> None:
        self.world, self.client, self.name = world, client, name
        self.findings: list[str] = []
        self.asked = 0
        self._said: set[str] = set()
        self._log = Lines()
        client.raise_request_exception = False

    @contextmanager
    def listening(self) -> Iterator["Crawler"]:
        """Hear every log line meanwhile."""
        root = logging.getLogger()
        root.addHandler(self._log)
        try:
            yield self
        finally:
            root.removeHandler(self._log)

    def may_know(self, text: str) -> None:
        """Take what stands in the text for known."""
        self._said |= self.world.secrets.in_text(text)

    def get(self, address: str, **headers: str) -> Any:
        """Ask with GET."""
        return self.ask("GET", address, headers=headers)

    def ask(
        self,
        method: str,
        address: str,
        body: Any = None,
        *,
        content_type: str = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Send the request and judge the answer."""
        given = isinstance(body, str | bytes)
        sent = body if given else "" if body is None else json.dumps(body, cls=DjangoJSONEncoder)
        return self._judged(
            f"{method} {address}",
            sent,
            headers or {},
            lambda: self.client.generic(method, address, sent, content_type, headers=headers),
        )

    def post_form(
        self, address: str, fields: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> Any:
        """Send a form, files included."""
        sent = " ".join(str(value) for value in fields.values() if not hasattr(value, "read"))
        files = [value for value in fields.values() if hasattr(value, "read")]
        for one in files:
            sent += one.read().decode(errors="replace")
            one.seek(0)
        return self._judged(
            f"POST {address}",
            sent,
            headers or {},
            lambda: self.client.post(address, dict(fields), headers=headers),
        )

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Take back what is done meanwhile, in the database and in the client's cookies."""
        cookies = self.client.cookies.copy()
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
        self.client.cookies.clear()
        self.client.cookies.update(cookies)

    def _judged(self, request: str, body: str | bytes, headers: Mapping[str, str], send: Any) -> Any:
        self.asked += 1
        self._log.take()
        answer = send()
        shown = body if isinstance(body, str) else body.decode(errors="replace")
        secrets = self.world.secrets
        # What was asked for may be named in the answer, and in our own trail later on; nothing beyond it.
        said = self._said = self._said | secrets.in_text(f"{request} {headers} {shown}")
        content = b"".join(answer) if answer.streaming else answer.content
        head = f"{answer.reason_phrase}\n{answer.headers}\n{answer.cookies}"
        leaked = (secrets.in_bytes(content) | secrets.in_text(head)) - said
        logged = secrets.in_text(self._log.take()) - said
        if leaked:
            self._note(f"{request} {shown[:200]} told {secrets.named(leaked)}")
        if logged:
            self._note(f"{request} logged {secrets.named(logged)}")
        if answer.status_code >= 500:
            self._note(f"{request} {shown[:200]} answered {answer.status_code}: {content[:300]!r}")
        return answer

    def _note(self, finding: str) -> None:
        self.findings.append(f"{self.name}: {finding}")
