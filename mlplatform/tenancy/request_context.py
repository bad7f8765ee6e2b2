"""What is known of the present request, for the audit trail and the log lines."""

import ipaddress
import logging
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from mlplatform.tenancy.scope import active_tenant

ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


@dataclass(frozen=True)
class RequestContext:
    """The id that ties together answer, log lines and audit rows, and the client's address.

    ``limits_reached`` collects the limits that refused something, for the trail; ``notes`` are what inner
    parts tell outer ones about the request, by name.
    """

    request_id: str = ""
    address: str | None = None
    limits_reached: list[str] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)


_OUTSIDE = RequestContext()
_current: ContextVar[RequestContext] = ContextVar("request_context", default=_OUTSIDE)


def current_request() -> RequestContext:
    """Return the present request's context; empty outside a request."""
    return _current.get()


def note(**facts: Any) -> None:
    """Tell outer parts of the present request; outside a request nobody is told."""
    context = _current.get()
    if context is not _OUTSIDE:
        context.notes.update(facts)


@contextmanager
def request_context(*, request_id: str, address: str | None) -> Iterator[RequestContext]:
    """Make this the present request for the length of the block."""
    context = RequestContext(request_id, address)
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


def accepted_request_id(offered: str | None) -> str:
    """Return the client's id where it is harmless in a header and a log line, else a new one."""
    return offered if offered and ACCEPTED_ID.fullmatch(offered) else uuid.uuid4().hex


def client_address(request: HttpRequest) -> str | None:
    """Return the client's address, as the outermost of the ``TRUSTED_PROXIES`` saw it.

    Each proxy adds the address that it saw at the end of X-Forwarded-For, so what stands before the trusted
    proxies' own entries was written by the client and is not believed.
    """
    peer = request.META.get("REMOTE_ADDR")
    count = settings.TRUSTED_PROXIES
    if count:
        seen = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(seen) >= count:
            return _plain(seen[-count]) or _plain(peer)
    return _plain(peer)


@lru_cache(maxsize=1000)
def _plain(address: str | None) -> str | None:
    try:
        found = ipaddress.ip_address((address or "").strip().partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


class ContextFilter(logging.Filter):
    """Adds the request id and the tenant id to every log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Stamp the record and let it through."""
        tenant = active_tenant()
        record.request_id = current_request().request_id or "-"
        record.tenant_id = tenant.pk if tenant else "-"
        return True
