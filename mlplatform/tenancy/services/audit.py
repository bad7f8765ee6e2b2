"""Writing the audit trail."""

from typing import Any

from django.db import models

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import AuditEvent
from mlplatform.tenancy.request_context import current_request


def record(*, by: Actor, action: str, target: models.Model, **details: Any) -> AuditEvent:
    """Append one event to the active tenant's trail; call it in the transaction of what it tells of.

    ``action`` is a dotted verb such as ``model.promoted``; ``details`` must be JSON and hold no secret.
    """
    request = current_request()
    return AuditEvent.objects.create(
        actor_kind=by.kind,
        actor_label=by.label,
        actor_id=by.id,
        action=action,
        object_type=target._meta.label_lower,
        object_id=str(target.pk),
        object_label=str(target)[:300],
        details=details,
        request_id=request.request_id,
        address=request.address,
    )
