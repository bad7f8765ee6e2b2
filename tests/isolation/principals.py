"""Everybody who may knock at the wall: each role and scope, and those who have no right any more."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.test import Client
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import ApiKey, Membership, Role, Scope, Tenant, User
from mlplatform.tenancy.permissions import ROLE_CAPABILITIES, SCOPE_CAPABILITIES, Capability
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.api_keys import create_api_key
from mlplatform.tenancy.services.tokens import issue_token
from tests.conftest import ConsoleFor

NOTHING: frozenset[Capability] = frozenset()


@dataclass(frozen=True)
class Principal:
    """Who asks, how, and what is allowed to them in our tenant."""

    name: str
    client: Client
    capabilities: frozenset[Capability]
    known: bool = True  # whether the API takes them for somebody
    session: bool = False  # whether they are signed in
    member: bool = True  # whether they may work for our tenant


Maker = Callable[[Tenant, ConsoleFor], Principal]


def person(role: str) -> Maker:
    """Return a maker of a signed-in member with the role."""

    def make(tenant: Tenant, console_for: ConsoleFor) -> Principal:
        return Principal(role, console_for(tenant, role), ROLE_CAPABILITIES[role], session=True)

    return make


def key(scope: str) -> Maker:
    """Return a maker of a key with the one scope."""

    def make(tenant: Tenant, console_for: ConsoleFor) -> Principal:
        client, _ = key_client(tenant, scope)
        return Principal(f"key: {scope}", client, SCOPE_CAPABILITIES[scope])

    return make


def key_client(tenant: Tenant, *scopes: str) -> tuple[Client, ApiKey]:
    """Return a client that sends a new key, and the key."""
    with tenant_scope(tenant):
        made = create_api_key(name="crawler", scopes=scopes, by=SYSTEM)
    return Client(headers={"Authorization": f"Bearer {made.secret}"}), made.key


def superuser(tenant: Tenant, console_for: ConsoleFor) -> Principal:
    """Return a platform administrator who has chosen to work for our tenant."""
    client = console_for(tenant, "superuser")
    User.objects.filter(email=f"superuser@{tenant.slug}.example").update(is_superuser=True)
    return Principal("superuser", client, frozenset(Capability), session=True)


def nobody(tenant: Tenant, console_for: ConsoleFor) -> Principal:
    """Return somebody who has not signed in."""
    return Principal("nobody", Client(), NOTHING, known=False)


def expired_key(tenant: Tenant, console_for: ConsoleFor) -> Principal:
    """Return a key with all scopes that has expired."""
    return spent_key(tenant, "expired key", expires_at=timezone.now() - timedelta(seconds=1))


def revoked_key(tenant: Tenant, console_for: ConsoleFor) -> Principal:
    """Return a key with all scopes that was revoked."""
    return spent_key(tenant, "revoked key", revoked_at=timezone.now())


def spent_key(tenant: Tenant, name: str, **changes: object) -> Principal:
    """Return a key that was good once."""
    client, made = key_client(tenant, *Scope.values)
    with tenant_scope(tenant):
        ApiKey.objects.filter(pk=made.pk).update(**changes)
    return Principal(name, client, NOTHING, known=False)


def token(tenant: Tenant, console_for: ConsoleFor) -> Principal:
    """Return a short-lived token that stands for a key, with the right to read alone."""
    _, made = key_client(tenant, *Scope.values)
    with tenant_scope(tenant):
        issued = issue_token(key=made, scopes=[Scope.READ])
    client = Client(headers={"Authorization": f"Bearer {issued.token}"})
    return Principal("token", client, SCOPE_CAPABILITIES[Scope.READ])


def removed_member(tenant: Tenant, console_for: ConsoleFor) -> Principal:
    """Return a person whose session outlived the membership."""
    client = console_for(tenant, Role.OPERATOR)
    user = User.objects.get(email=f"{Role.OPERATOR}@{tenant.slug}.example")
    with tenant_scope(tenant):
        Membership.objects.filter(user=user).delete()
    return Principal("removed member", client, NOTHING, session=True, member=False)


def switched_off(tenant: Tenant, console_for: ConsoleFor) -> Principal:
    """Return an admin whose account was switched off during the session."""
    client = console_for(tenant, Role.ADMIN)
    User.objects.filter(email=f"{Role.ADMIN}@{tenant.slug}.example").update(is_active=False)
    return Principal("switched off", client, NOTHING, known=False)


PRINCIPALS: dict[str, Maker] = {
    **{role: person(role) for role in Role.values},
    **{f"key: {scope}": key(scope) for scope in Scope.values},
    "token": token,
    "superuser": superuser,
    "nobody": nobody,
    "expired key": expired_key,
    "revoked key": revoked_key,
    "removed member": removed_member,
    "switched off": switched_off,
}
