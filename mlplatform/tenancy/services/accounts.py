"""Accounts of people, across tenants."""

from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.utils.crypto import get_random_string
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from mlplatform.errors import Conflict
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.lookups import memberships_of
from mlplatform.tenancy.models import Membership, Tenant, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.sign_ins import record_of_account


def password_link_parts(user: User) -> dict[str, str]:
    """Return the two parts of a one-time link to set a password; it ends with its first use."""
    return {
        "uidb64": urlsafe_base64_encode(force_bytes(user.pk)),
        "token": default_token_generator.make_token(user),
    }


def issue_password_link(*, membership: Membership, by: Actor) -> dict[str, str]:
    """Return the parts of a one-time link for the member, and record that it was handed out."""
    with tenant_transaction():
        record(by=by, action="account.link_issued", target=membership)
    return password_link_parts(membership.user)


def give_first_password(*, membership: Membership, by: Actor) -> str:
    """Give the member's account a random password and return it, the only time it is known."""
    password = get_random_string(20)
    user = membership.user
    with tenant_transaction():
        user.set_password(password)
        user.save(update_fields=["password"])
        record(by=by, action="account.password_set", target=membership)
    return password


def issue_account_link(*, user: User, by: Actor) -> dict[str, str]:
    """Return the parts of a one-time link to a new password, for a platform administrator to hand out.

    Recorded in each tenant of the account.
    """
    record_of_account(user=user, action="account.link_issued", by=by)
    return password_link_parts(user)


def may_issue_link(user: User) -> bool:
    """Tell whether a tenant's admin may hand out a set-password link for the account.

    Only where nobody uses it yet and it belongs to no second tenant: otherwise one tenant's admin could
    take over an account of another's.
    """
    return not user.has_usable_password() and len(memberships_of(user)) == 1


def set_account_active(*, user: User, active: bool, by: Actor) -> User:
    """Switch an account on or off; raises Conflict for one's own. Recorded in each tenant of the person."""
    if user.pk == by.id and not active:
        raise Conflict("You cannot switch off your own account. Ask another administrator.")
    before, after = {"is_active": user.is_active}, {"is_active": active}
    action = "account.activated" if active else "account.deactivated"
    with transaction.atomic():
        user.is_active = active
        user.save(update_fields=["is_active"])
        for membership in memberships_of(user):
            with tenant_scope(membership.tenant), tenant_transaction():
                record(by=by, action=action, target=membership, before=before, after=after)
    return user


def set_tenant_active(*, tenant: Tenant, active: bool, by: Actor) -> Tenant:
    """Switch a tenant on or off; the members and keys of an inactive one are refused."""
    with tenant_scope(tenant), tenant_transaction():
        before, after = {"is_active": tenant.is_active}, {"is_active": active}
        tenant.is_active = active
        tenant.save(update_fields=["is_active"])
        action = "tenant.activated" if active else "tenant.deactivated"
        record(by=by, action=action, target=tenant, before=before, after=after)
    return tenant
