"""Signing in and out, in the trail of each tenant that the account belongs to."""

import logging
from typing import Any

from django.db import transaction

from mlplatform.tenancy.actors import ANONYMOUS, Actor
from mlplatform.tenancy.lookups import memberships_of
from mlplatform.tenancy.models import ApiKey, Tenant, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.attempts import record_attempt
from mlplatform.tenancy.services.audit import record

logger = logging.getLogger(__name__)


def record_of_account(*, user: User, action: str, by: Actor, **details: Any) -> None:
    """Record what happened to the account in each tenant that it belongs to, and in the log."""
    logger.info("%s: account %s", action, user.pk)
    with transaction.atomic():
        for membership in memberships_of(user):
            with tenant_scope(membership.tenant), tenant_transaction():
                record(by=by, action=action, target=user, **details)


def record_failed_sign_in(*, email: str, action: str = "session.sign_in_failed") -> None:
    """Record a failed sign-in in each tenant of the account; an unknown account leaves a log line alone.

    What was typed is never written down: it may be a password in the wrong field.
    """
    user = User.objects.filter(email=email.lower()).first() if "\x00" not in email else None
    if user is None:
        logger.warning("%s: no such account", action)
        return
    logger.warning("%s: account %s", action, user.pk)
    for membership in memberships_of(user):
        with tenant_scope(membership.tenant):
            record_attempt(by=ANONYMOUS, action=action, target=user)


def record_refused_key(*, key: ApiKey, reason: str) -> None:
    """Record in the key's tenant that it was offered and refused."""
    with tenant_scope(key.tenant):
        record_attempt(by=ANONYMOUS, action="api_key.refused", target=key, details={"reason": reason})


def record_entered(*, tenant: Tenant, by: Actor) -> None:
    """Record in the tenant that somebody works for it from now on."""
    with tenant_scope(tenant), tenant_transaction():
        record(by=by, action="tenant.entered", target=tenant)
