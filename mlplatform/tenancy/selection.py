"""Which tenant a signed-in person works for."""

from django.http import HttpRequest

from mlplatform.tenancy.lookups import memberships_of
from mlplatform.tenancy.models import Tenant, User

SESSION_KEY = "tenant_id"


def tenants_of(user: User) -> list[Tenant]:
    """Return the tenants that the person may work for, by name; a superuser may choose any."""
    tenants = Tenant.objects.filter(is_active=True).order_by("name")
    if user.is_superuser:
        return list(tenants)
    return list(tenants.filter(pk__in=[one.tenant_id for one in memberships_of(user)]))


def chosen_tenant(request: HttpRequest) -> Tenant | None:
    """Return the session's tenant where the membership still stands, else the person's first tenant.

    A superuser gets no tenant by default: seeing one is a choice.
    """
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        return None
    tenants = tenants_of(user)
    request.tenants_to_choose = tenants  # type: ignore[attr-defined]  # read by tenants_to_choose
    chosen = request.session.get(SESSION_KEY)
    for tenant in tenants:
        if tenant.pk == chosen:
            return tenant
    return None if user.is_superuser or not tenants else tenants[0]


def tenants_to_choose(request: HttpRequest) -> list[Tenant]:
    """Return the tenants that the person may work for, as they were when the request came."""
    found: list[Tenant] = getattr(request, "tenants_to_choose", [])
    return found


def choose_tenant(request: HttpRequest, tenant_id: int) -> Tenant | None:
    """Remember the tenant in the session; None, and nothing changed, where the person may not."""
    user = request.user
    if not isinstance(user, User):
        return None
    for tenant in tenants_of(user):
        if tenant.pk == tenant_id:
            request.session[SESSION_KEY] = tenant.pk
            return tenant
    return None


def note_demanding(request: HttpRequest, tenant: Tenant) -> None:
    """Note that the tenant, which the session chose, stays closed until the person has a second factor."""
    request.second_factor_demanded_by = tenant  # type: ignore[attr-defined]  # read by demanding_tenant


def demanding_tenant(request: HttpRequest) -> Tenant | None:
    """Return the tenant that stays closed for want of a second factor, if one does."""
    return getattr(request, "second_factor_demanded_by", None)
