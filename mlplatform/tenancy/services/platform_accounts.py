"""Accounts that the operator of the installation makes and mends by command."""

import logging
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from mlplatform.errors import Conflict, InvalidInput, NotFound
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import Tenant, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.sign_ins import record_of_account

logger = logging.getLogger(__name__)


def create_platform_admin(*, email: str, password: str, by: Actor) -> User:
    """Make an account that may work for every tenant, and record it in every tenant's trail.

    Raises Conflict for a known address, InvalidInput for an impossible address or a weak password.
    """
    user = User(email=User.objects.normalize_email(email).lower(), is_staff=True, is_superuser=True)
    user.set_password(_strong(password, user))
    try:
        user.clean_fields()
    except ValidationError as error:
        raise InvalidInput(f"{email!r} is not an e-mail address.", fields=error.message_dict) from error
    with transaction.atomic():
        if User.objects.filter(email=user.email).exists():
            raise Conflict(f"An account {user.email} exists already.")
        user.save(force_insert=True)
        _record_everywhere(user, "platform_admin.created", by=by, after={"email": user.email})
    return user


def change_password(*, email: str, password: str, by: Actor) -> User:
    """Give the account another password, which ends its sessions; recorded in each of its tenants.

    A platform administrator's is recorded in every tenant. Raises NotFound, or InvalidInput for a weak one.
    """
    user = User.objects.filter(email=email.lower()).first()
    if user is None:
        raise NotFound(f"There is no account {email!r}.")
    user.set_password(_strong(password, user))
    with transaction.atomic():
        user.save(update_fields=["password"])
        if user.is_superuser:
            _record_everywhere(user, "account.password_changed", by=by)
        else:
            record_of_account(user=user, action="account.password_changed", by=by)
    return user


def _record_everywhere(user: User, action: str, *, by: Actor, **changes: Any) -> None:
    logger.warning("%s: account %s by %s", action, user.pk, by)
    for tenant in Tenant.objects.all():
        with tenant_scope(tenant), tenant_transaction():
            record(by=by, action=action, target=user, **changes)


def _strong(password: str, user: User) -> str:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages), fields={"password": error.messages}) from error
    return password
