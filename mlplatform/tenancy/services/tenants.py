"""Tenants and their members."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.errors import AlreadyMember, LastAdmin, TenantExists, TenantNotFound
from mlplatform.tenancy.models import Membership, Role, Tenant, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.audit import fields_of, record


def find_tenant(slug: str) -> Tenant:
    """Return the tenant with this short name; raises TenantNotFound."""
    try:
        return Tenant.objects.get(slug=slug)
    except Tenant.DoesNotExist as error:
        raise TenantNotFound(
            f"There is no tenant {slug!r}. List them with: python manage.py create_tenant --list"
        ) from error


def create_tenant(*, slug: str, name: str, by: Actor) -> Tenant:
    """Create a tenant; raises TenantExists for a taken short name, InvalidInput for an unusable one."""
    tenant = Tenant(slug=slug, name=name or slug)
    try:
        tenant.clean_fields()
    except ValidationError as error:
        raise InvalidInput("The tenant cannot be created.", fields=error.message_dict) from error
    try:
        with transaction.atomic():
            tenant.save(force_insert=True)
            with tenant_scope(tenant), tenant_transaction():
                record(by=by, action="tenant.created", target=tenant, after=fields_of(tenant, "created_at"))
    except IntegrityError as error:
        raise TenantExists(f"A tenant {slug!r} exists already. Choose another short name.") from error
    return tenant


def add_member(*, email: str, role: str, by: Actor, name: str = "", given_by: str = "") -> Membership:
    """Make the person a member of the active tenant, creating an account without a password where needed.

    ``given_by`` names the sign-on provider where its claims give the membership.

    Raises AlreadyMember, or InvalidInput for an unknown role, an impossible address or name.
    """
    _check_role(role)
    try:
        User._meta.get_field("email").run_validators(email)
    except ValidationError as error:
        detail = f"{email!r} is not an e-mail address."
        raise InvalidInput(detail, fields={"email": error.messages}) from error
    if not name.isprintable():
        raise InvalidInput("The name must be one line of text.", fields={"name": ["One line of text."]})
    with tenant_transaction():
        user = User.objects.filter(email=email.lower()).first() or User.objects.create_user(email, name=name)
        membership, created = Membership.objects.get_or_create(
            user=user, defaults={"role": role, "given_by": given_by}
        )
        if not created:
            raise AlreadyMember(f"{email} is a member already. Change the role instead.")
        record(by=by, action="member.added", target=membership, after=_whole(membership))
    return membership


def change_role(*, membership: Membership, role: str, by: Actor, given_by: str = "") -> Membership:
    """Give the member another role; raises LastAdmin where nobody could manage the tenant any more.

    What a person changes is theirs from then on: claims no longer touch it.
    """
    _check_role(role)
    with tenant_transaction():
        before = membership.role
        if before == Role.ADMIN and role != Role.ADMIN:
            _keep_an_admin(membership)
        membership.role, membership.given_by = role, given_by
        membership.save(update_fields=["role", "given_by"])
        action = "member.role_changed"
        record(by=by, action=action, target=membership, before={"role": before}, after={"role": role})
    return membership


def remove_member(*, membership: Membership, by: Actor) -> None:
    """End the membership; the account itself stays. Raises LastAdmin."""
    with tenant_transaction():
        if membership.role == Role.ADMIN:
            _keep_an_admin(membership)
        record(by=by, action="member.removed", target=membership, before=_whole(membership))
        membership.delete()


def _keep_an_admin(membership: Membership) -> None:
    # Locked in one order, so that two admins who send each other away do not both succeed.
    admins = Membership.objects.select_for_update().filter(role=Role.ADMIN).order_by("pk")
    if {admin.pk for admin in admins} <= {membership.pk}:
        raise LastAdmin("This is the tenant's last admin. Make another member admin first.")


def _whole(membership: Membership) -> dict[str, Any]:
    return {"email": membership.user.email, **fields_of(membership, "created_at")}


def _check_role(role: str) -> None:
    if role not in Role.values:
        detail = f"{role!r} is not a role. Choose one of {', '.join(Role.values)}."
        raise InvalidInput(detail, fields={"role": ["Unknown role."]})
