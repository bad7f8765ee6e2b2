"""What follows when a provider has said who somebody is: their memberships, and whose account it is.

Nobody becomes a platform administrator here, and no administrator's account is ever taken over by a claim.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction

from mlplatform.identity.claims import roles_given
from mlplatform.identity.models import ClaimMapping
from mlplatform.identity.services.sessions import end_sessions
from mlplatform.tenancy.actors import Actor, ActorKind
from mlplatform.tenancy.errors import LastAdmin
from mlplatform.tenancy.lookups import memberships_of
from mlplatform.tenancy.models import Membership, Tenant, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.sign_ins import record_of_account
from mlplatform.tenancy.services.tenants import add_member, change_role, remove_member

Claims = Mapping[str, Any]


def actor_of(provider: str) -> Actor:
    """Return who acts where claims decide."""
    return Actor(ActorKind.POLICY, f"single sign-on {provider}")


def roles_by_claims(*, provider: str, claims: Claims) -> dict[int, str]:
    """Return the role in each tenant, by its key, that the provider's rules give for the claims."""
    return roles_given(claims, ClaimMapping.objects.filter(provider=provider))


def apply_claims(*, user: User, provider: str, claims: Claims) -> None:
    """Bring the memberships that the provider gave in line with the claims: added, changed, removed.

    Memberships that a person or another provider gave stay as they are. A tenant's last admin stays one,
    which is recorded.
    """
    wanted = roles_by_claims(provider=provider, claims=claims)
    with transaction.atomic():
        present = {one.tenant_id: one for one in memberships_of(user)}
        for tenant in Tenant.objects.filter(pk__in={*wanted, *present}).order_by("pk"):
            with tenant_scope(tenant):
                _settle(user, provider, present.get(tenant.pk), wanted.get(tenant.pk))


def _settle(user: User, provider: str, present: Membership | None, role: str | None) -> None:
    by = actor_of(provider)
    if present is None:
        if role is not None:
            add_member(email=user.email, role=role, by=by, given_by=provider)
        return
    if present.given_by != provider or present.role == role:
        return
    try:
        if role is None:
            remove_member(membership=present, by=by)
        else:
            change_role(membership=present, role=role, by=by, given_by=provider)
    except LastAdmin as error:
        with tenant_transaction():
            record(by=by, action="member.kept", target=present, reason=error.detail, claimed_role=role)


@dataclass(frozen=True)
class Address:
    """The e-mail address that a provider tells, whether it has verified it, and whether that is believed."""

    email: str
    verified: bool
    trusted: bool


def linkable_account(address: Address) -> User | None:
    """Return the account that a provider's e-mail address may open, if there is one.

    The provider must say that it has verified the address, and the operator that it may be believed.
    Platform administrators connect their accounts themselves.
    """
    if not (address.email and address.verified and address.trusted):
        return None
    return User.objects.filter(email=address.email.lower(), is_active=True, is_superuser=False).first()


def hand_over(*, user: User, provider: str) -> None:
    """Make the account the provider's person's alone, before it is linked by its e-mail address.

    Whoever set its password or second factor before may not be the owner of the address.
    """
    with transaction.atomic():
        user.set_unusable_password()
        user.save(update_fields=["password"])
        Authenticator.objects.filter(user=user).delete()
        end_sessions(user=user, by=actor_of(provider))
        record_of_account(user=user, action="account.handed_over", by=actor_of(provider))


def new_account_problem(address: Address, roles: Mapping[int, str]) -> str:
    """Return why no account can be made for a newcomer, for the log; empty where one can."""
    if not roles:
        return "no rule matches the claims"
    if not address.email:
        return "the provider sends no e-mail address"
    if not (address.verified or address.trusted):
        return "the e-mail address is not verified"
    if User.objects.filter(email=address.email.lower()).exists():
        return "an account has this e-mail address already"
    return ""
