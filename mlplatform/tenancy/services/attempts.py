"""What was refused: recorded, yet unable to flood the trail."""

import hashlib
import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import AuditEvent, AuditHead
from mlplatform.tenancy.scope import current_tenant_id, tenant_transaction
from mlplatform.tenancy.services.audit import Subject, Target, record, subject_of

logger = logging.getLogger(__name__)
WINDOW = timedelta(minutes=1)
COUNTED_FOR = 7 * 24 * 3600  # seconds


def record_attempt(
    *, by: Actor, action: str, target: Target, details: Mapping[str, Any] | None = None
) -> AuditEvent | None:
    """Append what the actor tried in vain; None where the actor's attempts at it filled the minute already.

    At most ``AUDIT_ATTEMPTS_PER_MINUTE`` rows a minute come of one actor, action and target. Further ones are
    counted: each has a log line, and the next row says how many there were (``not_recorded``).
    """
    subject = subject_of(target)
    counter = _counter(by, action, subject)
    if _is_full(by, action, subject):
        _leave_out(counter, by, action, subject)
        return None
    with tenant_transaction():
        AuditHead.locked()  # parallel attempts queue here, so that none is counted twice
        if _is_full(by, action, subject):
            _leave_out(counter, by, action, subject)
            return None
        left_out = cache.get(counter, 0)
        told = {**(details or {}), **({"not_recorded": left_out} if left_out else {})}
        event = record(by=by, action=action, target=subject, **told)
    if left_out:
        cache.delete(counter)
    return event


def _is_full(by: Actor, action: str, subject: Subject) -> bool:
    recent = AuditEvent.objects.filter(
        object_type=subject.kind,
        object_id=subject.id,
        at__gt=timezone.now() - WINDOW,
        action=action,
        actor_kind=by.kind,
        actor_id=by.id,
    )
    limit = settings.AUDIT_ATTEMPTS_PER_MINUTE
    return recent.order_by().values("pk")[:limit].count() >= limit


def _leave_out(counter: str, by: Actor, action: str, subject: Subject) -> None:
    if not cache.add(counter, 1, COUNTED_FOR):
        with suppress(ValueError):  # it ran out between the two calls
            cache.incr(counter)
    logger.warning("not in the audit trail, too many a minute: %s %s %s", by, action, subject.label)


def _counter(by: Actor, action: str, subject: Subject) -> str:
    parts = (current_tenant_id(), by.kind, by.id, action, subject.kind, subject.id)
    return f"audit-attempts:{hashlib.sha256(repr(parts).encode()).hexdigest()}"
