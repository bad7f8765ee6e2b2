"""Rights on one registered model, for a member or a team; ``model`` is its row, which lies above this app."""

from typing import Any

from django.db.models import QuerySet

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.errors import GrantNotFound, InvalidGrant
from mlplatform.tenancy.models import Grant, Membership, Role, Team
from mlplatform.tenancy.models.team import GRANTABLE
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record


def grants_on(model: Any) -> QuerySet[Grant]:
    """Return the rights on the model with their holders."""
    return Grant.objects.filter(model=model).select_related("model", "membership__user", "team")


def find_grant(model: Any, pk: int) -> Grant:
    """Return the right on the model; raises GrantNotFound."""
    grant = grants_on(model).filter(pk=pk).first()
    if grant is None:
        raise GrantNotFound(f"There is no right {pk} on this model.")
    return grant


def give_right(*, model: Any, holder: Membership | Team, role: str, by: Actor) -> Grant:
    """Let the role, or no access, hold for the member or team on this model in place of an earlier one.

    Raises InvalidGrant for an unknown role, and for an admin, whose rights no model limits.
    """
    if role not in dict(GRANTABLE):
        detail = f"{role[:100]!r} is not a role on a model. Choose one of {', '.join(dict(GRANTABLE))}."
        raise InvalidGrant(detail, fields={"role": ["Unknown role."]})
    if isinstance(holder, Membership) and holder.role == Role.ADMIN:
        raise InvalidGrant(f"{holder.user} is an admin, who may do everything. Change the role first.")
    of = {"membership": holder} if isinstance(holder, Membership) else {"team": holder}
    with tenant_transaction():
        earlier = Grant.objects.select_for_update().filter(model=model, **of).first()
        before = None if earlier is None else {"role": earlier.role}
        grant, _ = Grant.objects.update_or_create(
            model=model,
            **of,
            defaults={"role": role},
            create_defaults={"role": role, "created_by": str(by)[:200]},
        )
        after = {"role": role, "holder": str(holder)}
        record(by=by, action="access.granted", target=grant.model, before=before, after=after)
    return grant


def withdraw_right(*, grant: Grant, by: Actor) -> None:
    """Take the right back: the role in the tenant, or a team's right, holds again. Raises GrantNotFound."""
    with tenant_transaction():
        grant = find_grant(grant.model, grant.pk)
        before = {"role": grant.role, "holder": str(grant.holder)}
        record(by=by, action="access.withdrawn", target=grant.model, before=before)
        grant.delete()
