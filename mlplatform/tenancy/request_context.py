"""What is known of the present request, for the audit trail and the log lines."""

import logging
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from mlplatform.tenancy.scope import active_tenant

ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


@dataclass(frozen=True)
class RequestContext:
    """The id that ties together answer, log lines and audit rows, and the client's address."""

    request_id: str = ""
    address: str | None = None


_OUTSIDE = RequestContext()
_current: ContextVar[RequestContext] = ContextVar("request_context", default=_OUTSIDE)


def current_request() -> RequestContext:
    """Return the present request's context; empty outside a request."""
    return _current.get()


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


class ContextFilter(logging.Filter):
    """Adds the request id and the tenant id to every log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Stamp the record and let it through."""
        tenant = active_tenant()
        record.request_id = current_request().request_id or "-"
        record.tenant_id = tenant.pk if tenant else "-"
        return True
