"""A real OpenID provider, in a process of its own, and a person's way through it."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.test import Client

from mlplatform.env import Environment
from mlplatform.oidc import oidc_providers
from mlplatform.tenancy.lookups import memberships_of
from mlplatform.tenancy.models import User

EVE: dict[str, Any] = {
    "email": "eve@corp.example",
    "email_verified": True,
    "name": "Eve",
    "groups": ["ml-analysts", "all"],
}
PATIENCE = 20.0  # seconds
_numbers = count(1)


@dataclass(frozen=True)
class Provider:
    """Where it listens."""

    url: str

    def settings(self, **options: str) -> dict[str, Any]:
        """Return the setting that names it as ``corp``, read as at a start from the environment."""
        given = {f"ML_OIDC_CORP_{name.upper()}": value for name, value in options.items()}
        known = {
            "ML_OIDC_PROVIDERS": "corp",
            "ML_OIDC_CORP_NAME": "Corp",
            "ML_OIDC_CORP_ISSUER": self.url,
            "ML_OIDC_CORP_CLIENT_ID": "ml",
            "ML_OIDC_CORP_CLIENT_SECRET": "a-secret",
        }
        return {
            "openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": oidc_providers(Environment(known | given))}
        }

    def person(self, **claims: Any) -> str:
        """Make a person with these claims; return their subject."""
        subject = f"person-{next(_numbers)}"
        self.say(subject, **claims)
        return subject

    def say(self, subject: str, **claims: Any) -> None:
        """Let the provider say this about the person from now on."""
        httpx.put(f"{self.url}/users/{subject}", json=claims).raise_for_status()

    def visit(self, client: Client, subject: str, *, query: str = "process=login", deny: bool = False) -> Any:
        """Go the whole way: from our button to the provider, agree there, and come back."""
        leaving = client.post(f"/account/sign-on/with/corp/?{query}")
        target = target_of(leaving)
        back = httpx.post(target, data={"sub": subject})
        assert back.status_code == 302, back.text
        return client.get(path_of(back.headers["Location"]))


def target_of(leaving: Any) -> str:
    """Return where the page leads on that leaves for the provider."""
    found = re.search(r'content="0; url=([^"]+)"', leaving.content.decode())
    assert found is not None, leaving.content
    return unescape(found[1])


def path_of(address: str) -> str:
    """Return the address without its host, as the test client takes it."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def free_port() -> int:
    """Return a port at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@contextmanager
def running_provider() -> Iterator[Provider]:
    """Run a provider on a free port until the block ends."""
    port = free_port()
    command = (sys.executable, "-m", "oidc_provider_mock", "--port", str(port))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    provider = Provider(f"http://127.0.0.1:{port}")
    try:
        _wait_for(provider, process)
        yield provider
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _wait_for(provider: Provider, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            httpx.get(f"{provider.url}/.well-known/openid-configuration").raise_for_status()
            return
        except httpx.TransportError:
            assert process.poll() is None, "the provider ended"
            assert time.monotonic() < deadline, "the provider does not answer"
            time.sleep(0.05)


def roles(email: str = "eve@corp.example") -> dict[str, tuple[str, str]]:
    """Return the person's role in each tenant and who gave it."""
    user = User.objects.get(email=email)
    return {one.tenant.slug: (one.role, one.given_by) for one in memberships_of(user)}
